import { expect, it } from '@jest/globals';
import { positionWithin } from '../../../src/journal/position-within.js';

it.each([
  [7, 7, 7],
  [8, 7, 0],
  [0, 7, 0],
  [null, 7, 0],
  [undefined, 7, 0],
])('%p in a journal whose newest is %p stands at %p', (stored, newest, position) => {
  expect(positionWithin({ newest }, stored)).toBe(position);
});

it('stands nowhere without a journal', () => {
  expect(positionWithin(null, 1)).toBe(0);
});
