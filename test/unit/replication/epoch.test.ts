import { describe, expect, it } from '@jest/globals';
import { isOwnEpoch, nextEpoch } from '../../../src/replication/epoch.js';

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
