import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { EntryBuffer } from '../../../src/journal/entry-buffer.js';
import { EntryReader } from '../../../src/journal/entry-reader.js';
import { JournalEntry, decodeMessage, encodeMessage } from '../../../src/wire/messages.js';

const number = fc.oneof(
  fc.maxSafeNat(),
  fc.nat(300),
  fc.constantFrom(0, 127, 128, 2 ** 31 - 1, 2 ** 31, 2 ** 32, Number.MAX_SAFE_INTEGER),
);
const msgId = fc.nat({ max: 0x7fffffff }).map((value) => value * 2);

function entriesOf(bytes: Uint8Array): Uint8Array[] {
  const reader = new EntryReader(bytes);
  const found: Uint8Array[] = [];
  for (let next = reader.next(); next !== null; next = reader.next()) found.push(Buffer.from(next));
  return found;
}

describe('an entry written by hand', () => {
  test('is byte for byte what the generated codec writes', () => {
    const entry = fc.record({
      session: number,
      msgId,
      clientSeq: number,
      skippedFrom: number,
      frame: fc.uint8Array({ minLength: 1, maxLength: 400 }),
    });
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 5 }), (entries) => {
        const buffer = new EntryBuffer();
        const expected: Uint8Array[] = [];
        for (const { session, msgId, clientSeq, skippedFrom, frame } of entries) {
          buffer.frame(session, msgId, clientSeq, frame);
          buffer.acknowledged(session, clientSeq);
          buffer.seen(session, msgId, clientSeq, skippedFrom);
          // Zeros are left out, as proto3 wants it; the generated encoder writes what is set.
          const set = (fields: Record<string, number | Uint8Array>) =>
            Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== 0));
          expected.push(
            encodeMessage(JournalEntry, { frame: set({ session, msgId, clientSeq, frame }) }),
            encodeMessage(JournalEntry, { acknowledged: set({ session, seq: clientSeq }) }),
            encodeMessage(JournalEntry, {
              seen: set({ session, msgId, clientSeq, skippedFrom }),
            }),
          );
        }
        expect(entriesOf(buffer.view())).toEqual(expected.map((bytes) => Buffer.from(bytes)));
      }),
    );
  });
});

test('grows with its entries, large ones of any kind, and keeps those before them', () => {
  const body = Buffer.alloc(50_000, 7);
  const held = { held: { session: 1, body } };
  const buffer = new EntryBuffer();
  for (let round = 0; round < 3; round++) {
    buffer.acknowledged(1, 2);
    buffer.entry(held);
    buffer.frame(1, 2, 3, body);
  }
  const entries = entriesOf(buffer.view()).map((bytes) => decodeMessage(JournalEntry, bytes));
  expect(entries).toHaveLength(9);
  for (const [index, { acknowledged, held, frame }] of entries.entries()) {
    const content = [acknowledged?.seq, held?.body, frame?.frame][index % 3];
    expect(content).toEqual(index % 3 === 0 ? 2 : body);
  }
  buffer.clear();
  expect(buffer.length).toBe(0);
});

describe('EntryReader', () => {
  test.each([
    ['an entry that runs past the end', [5, 1, 2]],
    ['a length without an end', [0x80, 0x80]],
    ['a length of six bytes', [0x80, 0x80, 0x80, 0x80, 0x80, 1, 0]],
  ])('refuses %s', (_, bytes) => {
    expect(() => entriesOf(Uint8Array.from(bytes))).toThrow(RangeError);
  });
});
