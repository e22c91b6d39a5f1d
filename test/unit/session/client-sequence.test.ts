import { describe, expect, test } from '@jest/globals';
import { MAX_HOLES } from '../../../src/journal/limits.js';
import { ClientSequence } from '../../../src/session/client-sequence.js';
import { MAX_CLIENT_SEQ } from '../../../src/wire/limits.js';

/** One that consumed these numbers, jumping where they do. */
function after(...numbers: number[]): ClientSequence {
  const sequence = new ClientSequence();
  for (const seq of numbers) sequence.consume(seq);
  return sequence;
}

describe('a number', () => {
  test.each([
    ['before any came', after(), 7, 'next'],
    ['0', after(), 0, 'zero'],
    ['above the highest there may be', after(), MAX_CLIENT_SEQ + 1, 'beyond'],
    ['the one expected', after(5, 6), 7, 'next'],
    ['above it', after(5, 6), 8, 'gap'],
    ['below the base', after(5, 6), 4, 'below'],
    ['the base', after(5, 6), 5, 'repeat'],
    ['the last one', after(5, 6), 6, 'repeat'],
    ['the last one before a hole', after(5, 9), 5, 'repeat'],
    ['the first of a hole', after(5, 9), 6, 'skipped'],
    ['the last of a hole', after(5, 9), 8, 'skipped'],
    ['the one that jumped', after(5, 9), 9, 'repeat'],
    ['one behind a hole', after(5, 9, 10), 10, 'repeat'],
    ['between two holes', after(5, 9, 10, 13), 10, 'repeat'],
  ] as const)('%s: %#', (_, sequence, seq, verdict) => {
    expect(sequence.judge(seq, false)).toBe(verdict);
  });

  test('may jump where that is allowed, but not back', () => {
    const sequence = after(5, 6);
    expect([9, 7, 6, 4].map((seq) => sequence.judge(seq, true))).toEqual([
      'next',
      'next',
      'repeat',
      'below',
    ]);
  });
});

test('numbers in a row leave no hole, and push none out', () => {
  const sequence = after(1, 3);
  for (let seq = 4; seq < 4 + 2 * MAX_HOLES; seq++) sequence.consume(seq);
  expect(sequence.snapshot().holes).toEqual([{ from: 2, to: 2 }]);
  expect(sequence.judge(2, false)).toBe('skipped');
});
