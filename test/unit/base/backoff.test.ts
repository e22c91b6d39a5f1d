import { expect, test } from '@jest/globals';
import { Backoff } from '../../../src/base/backoff.js';

test('pauses grow by the factor up to the longest, and begin anew after a success', () => {
  const backoff = new Backoff({ firstMs: 100, longestMs: 350, factor: 1.5 });
  expect([1, 2, 3, 4, 5].map(() => backoff.next())).toEqual([100, 150, 225, 337.5, 350]);
  backoff.reset();
  expect(backoff.next()).toBe(100);
});

test('without a factor they double; the first is no longer than the longest either', () => {
  const doubling = new Backoff({ firstMs: 50, longestMs: 2_000 });
  expect([1, 2, 3].map(() => doubling.next())).toEqual([50, 100, 200]);
  expect(new Backoff({ firstMs: 50, longestMs: 20 }).next()).toBe(20);
});

test.each([
  [0, 80],
  [0.5, 100],
  [0.75, 110],
])('jitter moves a pause both ways, and not those after it (random %d)', (random, pause) => {
  const backoff = new Backoff({ firstMs: 100, longestMs: 1_000, jitter: 0.2 }, () => random);
  expect(backoff.next()).toBeCloseTo(pause);
  expect(backoff.next()).toBeCloseTo(2 * pause);
});
