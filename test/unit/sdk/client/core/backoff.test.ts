import { describe, expect, test } from '@jest/globals';
import { Backoff } from '../../../../../src/sdk/client/core/backoff.js';

describe('Backoff', () => {
  test('doubles the ceiling up to the maximum and draws from the whole range below it', () => {
    const limits = { minDelayMs: 100, maxDelayMs: 1_000 };
    const highest = new Backoff(limits, () => 0.999999);
    expect([1, 2, 3, 4, 5, 6].map(() => highest.next())).toEqual([100, 200, 400, 800, 1000, 1000]);
    const lowest = new Backoff(limits, () => 0);
    expect([1, 2, 3].map(() => lowest.next())).toEqual([0, 0, 0]);
  });

  test('starts over after a reset', () => {
    const backoff = new Backoff({ minDelayMs: 100, maxDelayMs: 1_000 }, () => 0.999999);
    backoff.next();
    backoff.next();
    backoff.reset();
    expect(backoff.next()).toBe(100);
  });

  test('stays finite after thousands of failures', () => {
    const backoff = new Backoff({ minDelayMs: 100, maxDelayMs: 5_000 }, () => 0.5);
    for (let failure = 0; failure < 5_000; failure++) backoff.next();
    expect(backoff.next()).toBe(2_500);
  });
});
