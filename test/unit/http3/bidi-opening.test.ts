import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { BidiOpening } from '../../../src/http3/bidi-opening.js';
import { encodeVarints } from '../../../src/http3/varint.js';
import type { QuicStream } from '../../../src/quic/quic-stream.js';

/** `FUZZ_RUNS=100000` is the long form. */
const numRuns = Number(process.env['FUZZ_RUNS'] ?? 2_000);

/** What an opening finds in chunks, each of which arrives by itself; `rest` is what can be read then. */
function open(chunks: readonly Uint8Array[], ends = false): { kind: string; rest: string } {
  const found = { kind: 'unclear', rest: '' };
  const waiting: Uint8Array[] = [];
  const stream = {
    readEnded: false,
    bind: () => undefined,
    read: () => waiting.shift() ?? null,
    unread: (bytes: Uint8Array) => waiting.unshift(Uint8Array.from(bytes)),
  };
  const end = (kind: string) => {
    if (found.kind === 'unclear') found.kind = kind;
    else throw new Error(`${found.kind}, then ${kind}`);
  };
  const opening = new BidiOpening(stream as unknown as QuicStream, {
    onRequest: () => end('request'),
    onSessionStream: (_, sessionId) => end(`session ${sessionId}`),
    onNothing: () => end('nothing'),
  });
  for (const [index, chunk] of chunks.entries()) {
    waiting.push(chunk);
    stream.readEnded = ends && index === chunks.length - 1;
    if (found.kind === 'unclear') opening.onReadable();
  }
  found.rest = Buffer.concat(waiting).toString('hex');
  return found;
}

const hex = (text: string) => [Buffer.from(text, 'hex')];

describe('the first bytes of a stream', () => {
  it.each([
    ['HEADERS', '0102aabb', 'request', '0102aabb'],
    ['grease of eight bytes', 'c0000000000000ff00', 'request', 'c0000000000000ff00'],
    ['a frame type of two bytes', '404000', 'request', '404000'],
    ['the signal with session 0', '40410001', 'session 0', '01'],
    ['the signal in four bytes', '8000004100', 'session 0', ''],
    ['a session of eight bytes', '4041c00000000000000401', 'session 4', '01'],
    ['half of the signal', '40', 'unclear', ''],
    ['no session yet', '404180', 'unclear', ''],
  ])('%s', (_, bytes, kind, rest) => {
    expect(open(hex(bytes))).toEqual({ kind, rest });
  });

  it('of a stream that ends too early are nothing', () => {
    expect(open(hex('40'), true).kind).toBe('nothing');
    expect(open([], true).kind).toBe('unclear');
  });

  it('are found alike however they are cut, and nothing is lost', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 40 }),
      fc
        .tuple(fc.maxSafeNat(), fc.uint8Array({ maxLength: 20 }))
        .map(([id, rest]) => Buffer.concat([encodeVarints(0x41, id), rest])),
    );
    fc.assert(
      fc.property(bytes, fc.array(fc.nat(), { maxLength: 6 }), (all, cuts) => {
        const places = [0, ...cuts.map((at) => at % all.length), all.length];
        places.sort((one, other) => one - other);
        const chunks = places.slice(1).map((end, at) => all.subarray(places[at], end));
        const whole = open([all]);
        expect(open(chunks)).toEqual(whole);
        if (whole.kind === 'request') expect(whole.rest).toBe(Buffer.from(all).toString('hex'));
      }),
      { numRuns },
    );
  });
});
