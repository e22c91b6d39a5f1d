import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { FrameDecoder } from '../../src/wire/frame-decoder.js';
import { encodePushBody, encodePushFrame, pushBodyOf } from '../../src/wire/frame-encoder.js';
import { referenceBytes, root } from './wire-schema.js';

const numRuns = Number(process.env['FUZZ_RUNS'] ?? 3000);
const MAX = 4096;
const nothing = Buffer.alloc(0);

/** What the whole stream means, read in one go (WIRE.md, "Client edge"). */
function readAll(stream: Buffer): { frames: Buffer[]; code: number | null; midFrame: boolean } {
  const frames: Buffer[] = [];
  let offset = 0;
  while (stream.length - offset >= 4) {
    const length = stream.readUInt32BE(offset);
    if (length === 0) return { frames, code: 400, midFrame: false };
    if (length > MAX) return { frames, code: 413, midFrame: false };
    if (stream.length - offset - 4 < length) break;
    frames.push(stream.subarray(offset + 4, offset + 4 + length));
    offset += 4 + length;
  }
  return { frames, code: null, midFrame: offset < stream.length };
}

const length = fc.oneof(
  { weight: 20, arbitrary: fc.integer({ min: 1, max: 60 }) },
  { weight: 4, arbitrary: fc.integer({ min: 1, max: MAX }) },
  { weight: 1, arbitrary: fc.constantFrom(0, MAX + 1, 2 ** 31, 2 ** 32 - 1) },
);

/** Frames one after another, now and then with a bad length; the last may be cut off. */
const stream = fc
  .tuple(fc.array(fc.tuple(length, fc.nat(255)), { maxLength: 12 }), fc.nat(80))
  .map(([frames, cut]) => {
    const parts = frames.map(([announced, fill]) => {
      const part = Buffer.alloc(4 + Math.min(announced, MAX), fill);
      part.writeUInt32BE(announced, 0);
      return part;
    });
    const whole = Buffer.concat(parts);
    return whole.subarray(0, Math.max(0, whole.length - cut));
  });

/** How the stream comes in: the size of each read, and what is done between reads. */
const step = fc.record({
  bytes: fc.oneof(fc.nat(9), fc.nat(200), fc.nat(6000)),
  /** Frames taken before the reader pauses; what is left waits for a later step. */
  taken: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.nat(2)),
  detach: fc.boolean(),
});

type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

/** Runs the decoder over the stream through one read buffer that every read overwrites. */
function decode(bytes: Buffer, steps: Step[]): { frames: Buffer[]; decoder: FrameDecoder } {
  const decoder = new FrameDecoder(MAX);
  const readBuffer = Buffer.alloc(8192);
  const frames: Buffer[] = [];
  const take = (limit: number): void => {
    for (let count = 0; count < limit; count++) {
      const frame = decoder.next();
      if (frame === null) return;
      frames.push(Buffer.from(frame));
    }
  };
  let offset = 0;
  for (const { bytes: size, taken, detach } of [...steps, { bytes: 0, taken: 0, detach: true }]) {
    const end = Math.min(offset + size, bytes.length);
    decoder.feed(readBuffer.subarray(0, bytes.copy(readBuffer, 0, offset, end)));
    offset = end;
    take(taken);
    const waiting = decoder.pendingBytes;
    // A read buffer may only be used again when nothing waits in it, or after detach.
    if (detach || waiting > 0) decoder.detach();
    if (decoder.pendingBytes !== waiting) throw new Error('detach() lost bytes');
    readBuffer.fill(0xee);
  }
  decoder.feed(Buffer.from(bytes.subarray(offset)));
  take(Number.POSITIVE_INFINITY);
  return { frames, decoder };
}

/** As toEqual, which compares buffers byte by byte and takes seconds for it. */
function expectSame(actual: Buffer[], expected: Buffer[]): void {
  const same = (frame: Buffer, index: number): boolean => frame.equals(expected[index] ?? nothing);
  if (actual.length !== expected.length || !actual.every(same)) expect(actual).toEqual(expected);
}

describe('FrameDecoder', () => {
  it('reads any stream, cut and paused anywhere, as if it came at once', () => {
    const property = fc.property(stream, fc.array(step, { maxLength: 30 }), (bytes, steps) => {
      const expected = readAll(bytes);
      const { frames, decoder } = decode(bytes, steps);
      expectSame(frames, expected.frames);
      expect(decoder.failure?.code ?? null).toBe(expected.code);
      if (expected.code === null) expect(decoder.midFrame).toBe(expected.midFrame);
      expect(decoder.pendingBytes).toBe(0);
    });
    fc.assert(property, { numRuns });
  });

  it('reads random bytes to the end or to the first bad length', () => {
    const chunks = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 20 });
    const property = fc.property(chunks, (parts) => {
      const decoder = new FrameDecoder(MAX);
      const frames: Buffer[] = [];
      for (const part of parts) {
        decoder.feed(part);
        for (let next = decoder.next(); next !== null; next = decoder.next()) {
          frames.push(Buffer.from(next));
        }
      }
      const expected = readAll(Buffer.concat(parts));
      expectSame(frames, expected.frames);
      expect(decoder.failure?.code ?? null).toBe(expected.code);
    });
    fc.assert(property, { numRuns });
  });
});

describe('encodePushFrame', () => {
  const reference = root.lookupType('gatesvr.proto.ServerPush');
  const msgId = fc.oneof(
    fc.nat(300),
    fc.nat({ max: 0x7fffffff }).map((value) => value * 2),
  );
  const seqId = fc.oneof(fc.maxSafeNat(), fc.nat(300));
  const headers = fc.option(
    fc.dictionary(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' })),
    { nil: undefined },
  );

  it('writes what reflection writes, and pushBodyOf gives the body back', () => {
    const type = fc.integer({ min: 0, max: 5 });
    const payload = fc.uint8Array({ maxLength: 300 });
    const property = fc.property(
      msgId,
      seqId,
      type,
      payload,
      headers,
      (id, seq, kind, data, map) => {
        const body = encodePushBody(kind, data, map);
        const frame = Buffer.from(encodePushFrame(id, seq, body));
        const plain = { msgId: id, seqId: seq, type: kind, payload: data, headers: map ?? {} };
        const expected = Buffer.from(referenceBytes(reference, plain));
        expectSame(
          [frame.subarray(4), Buffer.from(pushBodyOf(frame))],
          [expected, Buffer.from(body)],
        );
        expect(frame.readUInt32BE(0)).toBe(frame.length - 4);
      },
    );
    fc.assert(property, { numRuns });
  });
});
