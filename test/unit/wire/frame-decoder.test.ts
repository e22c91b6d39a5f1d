import { describe, expect, it } from '@jest/globals';
import { FrameDecoder } from '../../../src/wire/frame-decoder.js';
import { MAX_FRAME_BYTES } from '../../../src/wire/limits.js';

/** A frame of `bytes`, as WIRE.md's "Client edge" has it, put together without the code under test. */
function framed(bytes: Uint8Array | string): Buffer {
  const body = Buffer.from(bytes as string);
  const prefix = Buffer.alloc(4);
  new DataView(prefix.buffer, prefix.byteOffset).setUint32(0, body.length, false);
  return Buffer.concat([prefix, body]);
}

/** All frames that can be taken out now, copied. */
function takeAll(decoder: FrameDecoder): string[] {
  const frames: string[] = [];
  for (let frame = decoder.next(); frame !== null; frame = decoder.next()) {
    frames.push(Buffer.from(frame).toString());
  }
  return frames;
}

describe('FrameDecoder', () => {
  it('has nothing to give before it was fed', () => {
    const decoder = new FrameDecoder();
    expect(decoder.next()).toBeNull();
    expect(decoder.midFrame).toBe(false);
    expect(decoder.pendingBytes).toBe(0);
    expect(decoder.failure).toBeNull();
  });

  it('takes several frames out of one chunk, in order', () => {
    const decoder = new FrameDecoder();
    decoder.feed(Buffer.concat([framed('one'), framed('two'), framed('three')]));
    expect(takeAll(decoder)).toEqual(['one', 'two', 'three']);
    expect(decoder.midFrame).toBe(false);
  });

  it('reads the length as big-endian and unsigned', () => {
    const decoder = new FrameDecoder();
    decoder.feed(Buffer.concat([Buffer.from([0, 0, 1, 2]), Buffer.alloc(0x102, 'x')]));
    expect(takeAll(decoder)).toEqual(['x'.repeat(0x102)]);
    const unsigned = new FrameDecoder();
    unsigned.feed(Buffer.from([0x80, 0, 0, 0]));
    expect(unsigned.next()).toBeNull();
    expect(unsigned.failure?.reason).toContain('2147483648');
  });

  it('gives the same frames when every byte comes alone', () => {
    const decoder = new FrameDecoder();
    const frames: string[] = [];
    for (const byte of Buffer.concat([framed('one'), framed('two')])) {
      decoder.feed(Buffer.from([byte]));
      frames.push(...takeAll(decoder));
    }
    expect(frames).toEqual(['one', 'two']);
  });

  it.each([1, 2, 3, 4, 5, 6])('joins a frame that was cut after %i bytes', (cut) => {
    const decoder = new FrameDecoder();
    const bytes = framed('two');
    decoder.feed(bytes.subarray(0, cut));
    expect(decoder.next()).toBeNull();
    expect(decoder.midFrame).toBe(true);
    decoder.feed(bytes.subarray(cut));
    expect(takeAll(decoder)).toEqual(['two']);
    expect(decoder.midFrame).toBe(false);
  });

  it('puts a large frame together from many parts, and reads on behind it', () => {
    const decoder = new FrameDecoder();
    const large = Array.from({ length: 1_500 }, (_, index) => `part ${index};`).join('');
    const stream = Buffer.concat([framed(large), framed('next')]);
    const frames: string[] = [];
    for (let at = 0; at < stream.length; at += 700) {
      decoder.feed(Buffer.from(stream.subarray(at, at + 700)));
      frames.push(...takeAll(decoder));
    }
    expect(frames).toEqual([large, 'next']);
    expect(decoder.partBytes).toBe(0);
  });

  it('does not copy a frame that lies whole in one chunk', () => {
    const decoder = new FrameDecoder();
    const chunk = framed('whole');
    decoder.feed(chunk);
    expect(decoder.next()?.buffer).toBe(chunk.buffer);
  });

  it('keeps its own copy of a frame in parts, for the read buffer is used again', () => {
    const decoder = new FrameDecoder();
    const buffer = Buffer.alloc(8);
    const bytes = framed('twelve bytes');
    bytes.copy(buffer, 0, 0, 8);
    decoder.feed(buffer);
    expect(decoder.next()).toBeNull();
    buffer.fill(0xff);
    decoder.feed(bytes.subarray(8));
    expect(takeAll(decoder)).toEqual(['twelve bytes']);
  });

  it('keeps what was fed and not taken when it is detached from the read buffer', () => {
    const decoder = new FrameDecoder();
    const buffer = Buffer.concat([framed('one'), framed('two'), framed('three').subarray(0, 6)]);
    decoder.feed(buffer);
    expect(Buffer.from(decoder.next() ?? []).toString()).toBe('one');
    decoder.detach();
    buffer.fill(0xff);
    expect(decoder.pendingBytes).toBe(13);
    decoder.feed(framed('three').subarray(6));
    expect(takeAll(decoder)).toEqual(['two', 'three']);
    decoder.detach();
    expect(decoder.pendingBytes).toBe(0);
  });

  it('does not mind empty chunks', () => {
    const decoder = new FrameDecoder();
    const nothing = new Uint8Array(0);
    decoder.feed(nothing);
    decoder.feed(framed('one').subarray(0, 5));
    decoder.feed(nothing);
    expect(decoder.next()).toBeNull();
    decoder.feed(nothing);
    decoder.feed(framed('one').subarray(5));
    decoder.feed(nothing);
    expect(takeAll(decoder)).toEqual(['one']);
  });

  it('fails with 400 at a frame of length 0, after giving what came before it', () => {
    const decoder = new FrameDecoder();
    decoder.feed(Buffer.concat([framed('one'), framed(''), framed('two')]));
    expect(takeAll(decoder)).toEqual(['one']);
    expect(decoder.failure?.code).toBe(400);
  });

  it('takes the largest frame and fails with 413 one byte above it', () => {
    const fits = new FrameDecoder();
    fits.feed(framed(Buffer.alloc(MAX_FRAME_BYTES, 7)));
    expect(fits.next()?.length).toBe(MAX_FRAME_BYTES);
    const tooLong = new FrameDecoder();
    tooLong.feed(framed(Buffer.alloc(MAX_FRAME_BYTES + 1)).subarray(0, 4));
    expect(tooLong.next()).toBeNull();
    expect(tooLong.failure).toMatchObject({ code: 413 });
    expect(tooLong.failure?.reason).toContain('1048577');
  });

  it('stays failed, and holds nothing of what is fed afterwards', () => {
    const decoder = new FrameDecoder(3);
    decoder.feed(framed('four'));
    expect(decoder.next()).toBeNull();
    const failure = decoder.failure;
    expect(failure?.code).toBe(413);
    decoder.feed(framed('one'));
    expect(decoder.next()).toBeNull();
    expect(decoder.pendingBytes).toBe(0);
    expect(decoder.failure).toBe(failure);
  });

  it('allocates as bytes come, not as a length promises', () => {
    const before = process.memoryUsage().arrayBuffers;
    const prefix = framed(Buffer.alloc(MAX_FRAME_BYTES)).subarray(0, 5);
    const decoders = Array.from({ length: 500 }, () => {
      const decoder = new FrameDecoder();
      decoder.feed(prefix);
      decoder.next();
      return decoder;
    });
    const grown = process.memoryUsage().arrayBuffers - before;
    // 500 promises of 1 MiB are 500 MiB; half a MiB is what 500 first parts take.
    expect(grown).toBeLessThan(50 * 1024 * 1024);
    expect(decoders.every((decoder) => decoder.midFrame)).toBe(true);
  });
});
