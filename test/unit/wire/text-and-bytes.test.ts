import { expect, test } from '@jest/globals';
import { isBytes, wellFormed, wellFormedEntries } from '../../../src/wire/text-and-bytes.js';

test('halves of surrogate pairs become U+FFFD, as TextEncoder has it, and nothing else changes', () => {
  for (const text of [
    '',
    'plain',
    'é ü 漢',
    '👍🏽 \u0000',
    'cut \ud83d',
    '\udc4d\ud83d',
    'a\ud83db',
  ]) {
    expect(wellFormed(text)).toBe(new TextDecoder().decode(new TextEncoder().encode(text)));
  }
  expect(wellFormedEntries({ 'k\ud83d': 'v\ud83d', k: 'v' })).toEqual({
    'k\ufffd': 'v\ufffd',
    k: 'v',
  });
});

test('bytes are Uint8Arrays alone', () => {
  expect([new Uint8Array(1), Buffer.from('x')].map(isBytes)).toEqual([true, true]);
  for (const other of [new ArrayBuffer(1), new Uint16Array(1), [1], 'x', null, undefined, 5]) {
    expect(isBytes(other)).toBe(false);
  }
});
