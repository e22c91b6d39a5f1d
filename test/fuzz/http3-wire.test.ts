import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CapsuleReader, CapsuleType } from '../../src/http3/capsule-reader.js';
import { ControlStreamReader } from '../../src/http3/control-stream.js';
import { FrameReader, SKIPPED, STREAMED } from '../../src/http3/frame-reader.js';
import { encodeFrame } from '../../src/http3/frames.js';
import { Http3Fault } from '../../src/http3/http3-fault.js';
import { decodeDatagram } from '../../src/http3/http-datagram.js';
import { decodeFieldSection } from '../../src/http3/qpack-decoder.js';
import { encodeFieldSection } from '../../src/http3/qpack-encoder.js';
import { STATIC_TABLE } from '../../src/http3/qpack-static-table.js';
import type { Field } from '../../src/http3/qpack-static-table.js';
import { DecoderStreamReader, readEncoderStream } from '../../src/http3/qpack-streams.js';
import { requestHead } from '../../src/http3/request-head.js';
import { decodeSettings } from '../../src/http3/settings.js';
import { encodeVarints, readVarint, varintSize } from '../../src/http3/varint.js';
import { decodeSessionClose, encodeSessionClose } from '../../src/http3/webtransport-close.js';

/** `FUZZ_RUNS=100000` is the long form. */
const numRuns = Number(process.env['FUZZ_RUNS'] ?? 2_000);
const noise = fc.uint8Array({ maxLength: 200 });

/** Runs a decoder that may find a fault, and nothing else. */
function faultOr<T>(run: () => T): T | null {
  try {
    return run();
  } catch (error) {
    if (error instanceof Http3Fault) return null;
    throw error;
  }
}

const check = <T>(arbitrary: fc.Arbitrary<T>, run: (value: T) => void) =>
  fc.assert(fc.property(arbitrary, run), { numRuns });

describe('integers', () => {
  it('come back as they were, in their shortest form', () => {
    const value = fc.oneof(fc.maxSafeNat(), fc.nat(70_000), fc.nat(2 ** 31 - 1));
    check(value, (number) => {
      const bytes = encodeVarints(number);
      expect(readVarint(bytes, 0)).toBe(number);
      expect(bytes.length).toBe(varintSize(number));
    });
  });
});

describe('QPACK', () => {
  const name = fc.oneof(
    fc.constantFrom(...STATIC_TABLE.map(([known]) => known)),
    fc.string({ minLength: 1, maxLength: 300 }).map((text) => Buffer.from(text).toString('latin1')),
  );
  const value = fc.string({ maxLength: 300 }).map((text) => Buffer.from(text).toString('latin1'));
  const field = fc.oneof(
    fc.constantFrom(...STATIC_TABLE),
    fc.tuple(name, value).map(([one, other]): Field => [one, other]),
  );

  it('brings every field section back', () => {
    check(fc.array(field, { maxLength: 12 }), (fields) => {
      expect(decodeFieldSection(encodeFieldSection(fields), Infinity)).toEqual(fields);
    });
  });

  it('decodes any bytes to fields within the limit, or finds a fault', () => {
    const section = fc.oneof(
      noise,
      noise.map((bytes) => Buffer.concat([Buffer.of(0, 0), bytes])),
      fc
        .tuple(fc.array(field, { maxLength: 4 }), fc.nat(), fc.nat(255))
        .map(([fields, at, bits]) => {
          const bytes = encodeFieldSection(fields);
          bytes[at % bytes.length] = bits;
          return bytes;
        }),
    );
    check(section, (bytes) => {
      const fields = faultOr(() => decodeFieldSection(bytes, 2_000)) ?? [];
      const size = fields.reduce((sum, [one, other]) => sum + one.length + other.length + 32, 0);
      expect(size).toBeLessThanOrEqual(2_000);
      faultOr(() => requestHead(fields, true));
    });
  });

  it('takes any bytes on its streams', () => {
    check(fc.array(noise, { maxLength: 4 }), (chunks) => {
      const reader = new DecoderStreamReader();
      for (const chunk of chunks) {
        faultOr(() => reader.read(chunk));
        faultOr(() => readEncoderStream(chunk));
      }
    });
  });
});

describe('frames and capsules', () => {
  const LIMIT = 64;
  const policy = (type: number) => [STREAMED, LIMIT, SKIPPED, LIMIT][type % 4] as number;

  /** What a reader finds: streamed bytes put together per frame run, frames whole. */
  function read(reader: FrameReader, chunks: readonly Uint8Array[]): string[] {
    const found: string[] = [];
    let streamed = '';
    for (const chunk of chunks) {
      const shared = Buffer.from(chunk);
      reader.feed(shared);
      for (let next = reader.next(); next !== null; next = reader.next()) {
        const text = Buffer.from(reader.payload).toString('hex');
        if (next === 'data') {
          streamed += text;
        } else {
          found.push(streamed, `${next} ${reader.type} ${next === 'frame' ? text : ''}`);
          streamed = '';
        }
        if (next === 'frame') expect(reader.payload.length).toBeLessThanOrEqual(LIMIT);
      }
      reader.detach();
      shared.fill(0xee);
    }
    return [...found, streamed];
  }

  function cut(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
    const places = [...cuts.map((at) => at % (bytes.length + 1)), 0, bytes.length];
    places.sort((one, other) => one - other);
    return places.slice(1).map((end, index) => bytes.subarray(places[index], end));
  }

  it('are read alike however they are cut', () => {
    const frame = fc
      .tuple(fc.oneof(fc.nat(12), fc.nat(0xfffff)), fc.uint8Array({ maxLength: 90 }))
      .map(([type, payload]) => encodeFrame(type, payload));
    const stream = fc.oneof(
      noise,
      fc.array(frame, { maxLength: 8 }).map((frames) => Buffer.concat(frames)),
    );
    check(fc.tuple(stream, fc.array(fc.nat(), { maxLength: 12 })), ([bytes, cuts]) => {
      const whole = new FrameReader(policy);
      const parts = new FrameReader(policy);
      expect(read(parts, cut(bytes, cuts))).toEqual(read(whole, [bytes]));
      expect(parts.midFrame).toBe(whole.midFrame);
    });
  });

  it('of control streams and capsules are found, or a fault is', () => {
    const settings = encodeFrame(4, Buffer.alloc(0));
    check(
      fc.tuple(fc.boolean(), noise, fc.array(fc.nat(), { maxLength: 6 })),
      ([begun, bytes, cuts]) => {
        const control = new ControlStreamReader(() => undefined);
        const capsules = new CapsuleReader(new Map([[CapsuleType.DATAGRAM as number, 50]]));
        if (begun) control.read(settings);
        faultOr(() => cut(bytes, cuts).forEach((chunk) => control.read(chunk)));
        for (const chunk of cut(bytes, cuts)) {
          capsules.feed(chunk);
          while (capsules.next() !== null) expect(capsules.payload.length).toBeLessThanOrEqual(50);
          capsules.detach();
        }
      },
    );
  });

  it('of settings and datagrams too', () => {
    check(noise, (bytes) => {
      faultOr(() => decodeSettings(bytes));
      const datagram = faultOr(() => decodeDatagram(bytes));
      if (datagram !== null) expect(datagram.payload.length).toBeLessThan(bytes.length);
    });
  });
});

describe('the close of a WebTransport session', () => {
  it('comes back as it was, or cut to 1,024 bytes without half a character', () => {
    const reason = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.string({ unit: fc.constantFrom('a', 'ü', '語', '🙂'), minLength: 300, maxLength: 1_100 }),
    );
    check(fc.tuple(fc.nat(0xffffffff), reason), ([code, text]) => {
      const reader = new CapsuleReader(new Map([[0x2843, 1_028]]));
      reader.feed(encodeSessionClose(code, text));
      expect(reader.next()).toBe('frame');
      const close = decodeSessionClose(reader.payload);
      expect(close.code).toBe(code);
      expect(text.startsWith(close.reason)).toBe(true);
      const bytes = Buffer.byteLength(close.reason);
      expect(bytes === Buffer.byteLength(text) || (bytes > 1_020 && bytes <= 1_024)).toBe(true);
      expect(reader.next()).toBeNull();
    });
  });

  it('is found in any bytes, or a fault is', () => {
    check(noise, (bytes) => {
      const close = faultOr(() => decodeSessionClose(bytes));
      expect(close === null).toBe(bytes.length < 4);
    });
  });
});
