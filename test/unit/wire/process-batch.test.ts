import { expect, test } from '@jest/globals';
import { readProcessResults } from '../../../src/wire/process-batch.js';

const NOBODY = { onResult: () => undefined, onUnreadable: () => undefined };

test('fields of a later version are passed over, and say nothing about draining', () => {
  const varint = [0x78, 1];
  const lengthDelimited = [0x7a, 2, 1, 1];
  expect(readProcessResults(Uint8Array.from([...varint, ...lengthDelimited]), NOBODY)).toBe(false);
});

test.each([
  ['field number 0', [0x00, 1]],
  ['a wire type that there is not', [0x7f, 1]],
  ['a response that runs past the end', [0x0a, 9, 1]],
])('%s makes it no ProcessResults', (_, bytes) => {
  expect(() => readProcessResults(Uint8Array.from(bytes), NOBODY)).toThrow();
});
