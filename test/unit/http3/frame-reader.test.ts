import { describe, expect, it } from '@jest/globals';
import { FrameReader, SKIPPED, STREAMED } from '../../../src/http3/frame-reader.js';
import { dataHeader, encodeFrame, refuseReserved } from '../../../src/http3/frames.js';
import { connectionFault } from '../../../src/http3/http3-fault.js';

const policy = (type: number): number => {
  if (type === 0) return STREAMED;
  if (type === 9) throw connectionFault('FRAME_UNEXPECTED', 'nine');
  return type === 1 ? 10 : SKIPPED;
};

/** What a reader finds in chunks that all come in one buffer which is overwritten. */
function read(reader: FrameReader, chunks: readonly Uint8Array[]): string[] {
  const found: string[] = [];
  const shared = Buffer.alloc(64 * 1024);
  for (const chunk of chunks) {
    reader.feed(shared.subarray(0, Buffer.from(chunk).copy(shared)));
    for (let next = reader.next(); next !== null; next = reader.next()) {
      const text = next === 'oversized' ? '' : ` ${Buffer.from(reader.payload).toString('latin1')}`;
      found.push(`${next} ${reader.type}${text}`);
    }
    reader.detach();
    shared.fill(0xee);
  }
  return found;
}

const bytes = Buffer.concat([
  encodeFrame(1, Buffer.from('head')),
  encodeFrame(0x1f * 7 + 0x21, Buffer.from('grease')),
  encodeFrame(0, Buffer.from('body')),
  encodeFrame(0, Buffer.alloc(0)),
  encodeFrame(1, Buffer.alloc(0)),
  encodeFrame(1, Buffer.from('far too long a payload')),
  encodeFrame(1, Buffer.from('tail')),
]);

describe('the frame reader', () => {
  it('finds every frame that comes at once', () => {
    const found = read(new FrameReader(policy), [bytes]);
    expect(found).toEqual([
      'frame 1 head',
      'data 0 body',
      'frame 1 ',
      'oversized 1',
      'frame 1 tail',
    ]);
  });

  it('finds the same in bytes that come one by one', () => {
    const reader = new FrameReader(policy);
    const found = read(
      reader,
      [...bytes].map((byte) => Buffer.of(byte)),
    );
    const body = [...'body'].map((letter) => `data 0 ${letter}`);
    const frames = ['frame 1 ', 'oversized 1', 'frame 1 tail'];
    expect(found).toEqual(['frame 1 head', ...body, ...frames]);
    expect(reader.midFrame).toBe(false);
  });

  it('keeps what was fed and not read', () => {
    const reader = new FrameReader(policy);
    const shared = Buffer.from(bytes);
    reader.feed(shared);
    expect(reader.next()).toBe('frame');
    reader.detach();
    shared.fill(0xee);
    expect(reader.next()).toBe('data');
    expect(Buffer.from(reader.payload).toString()).toBe('body');
  });

  it('knows that a frame is not over', () => {
    for (const cut of [1, 3, 5]) {
      const reader = new FrameReader(policy);
      read(reader, [bytes.subarray(0, cut)]);
      expect(reader.midFrame).toBe(true);
    }
  });

  it('asks for the policy once the type is known, before the length came', () => {
    expect(() => read(new FrameReader(policy), [Buffer.of(9)])).toThrow('nine');
  });

  it('skips a frame of 2^62 - 1 bytes without holding any', () => {
    const reader = new FrameReader(policy);
    const chunks = [Buffer.from('40ffffffffffffffffff', 'hex'), Buffer.alloc(60_000)];
    expect(read(reader, chunks)).toEqual([]);
    expect(read(reader, [Buffer.alloc(60_000)])).toEqual([]);
    expect(reader.midFrame).toBe(true);
  });
});

describe('frames', () => {
  it('are type, length and payload', () => {
    expect(encodeFrame(7, Buffer.of(1)).toString('hex')).toBe('070101');
    expect(encodeFrame(0xf0700, Buffer.alloc(64)).toString('hex', 0, 6)).toBe('800f07004040');
    expect(Buffer.from(dataHeader(5)).toString('hex')).toBe('0005');
    expect(dataHeader(5)).toBe(dataHeader(5));
    expect(Buffer.from(dataHeader(1_048_580)).toString('hex')).toBe('0080100004');
  });

  it('of HTTP/2 are refused', () => {
    for (const type of [2, 6, 8, 9]) expect(() => refuseReserved(type)).toThrow('of HTTP/2');
    for (const type of [0, 1, 7, 0x21]) expect(() => refuseReserved(type)).not.toThrow();
  });
});
