import { describe, expect, it } from '@jest/globals';
import { isOwnEpoch, jumpedNumber, nextEpoch } from '../../../src/replication/epoch.js';

describe('epochs', () => {
  it.each([
    [0, true, 1],
    [0, false, 2],
    [1, true, 3],
    [1, false, 2],
    [2, true, 3],
    [2, false, 4],
  ])('after %d, smaller %s: %d', (highest, smaller, next) => {
    expect(nextEpoch(highest, smaller)).toBe(next);
    expect([isOwnEpoch(next, smaller), isOwnEpoch(next, !smaller)]).toEqual([true, false]);
  });

  it('0 is nobody’s', () => {
    expect([isOwnEpoch(0, true), isOwnEpoch(0, false)]).toEqual([false, false]);
  });
});

describe('the jump of push numbers', () => {
  const unit = 2 ** 32;

  it.each([
    [1, true, unit],
    [1, false, 2 * unit],
    [unit - 1, true, unit],
    [unit, true, 3 * unit],
    [unit, false, 2 * unit],
    [2 * unit, false, 4 * unit],
    [2 * unit + 5, true, 3 * unit],
  ])('from %d, smaller %s: %d', (next, smaller, jumped) => {
    expect(jumpedNumber(next, smaller)).toBe(jumped);
  });

  it('refuses to leave what JavaScript counts exactly', () => {
    expect(() => jumpedNumber(Number.MAX_SAFE_INTEGER, true)).toThrow('no push number is left');
  });
});
