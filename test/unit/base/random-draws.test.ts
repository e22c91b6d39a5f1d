import { describe, expect, it } from '@jest/globals';
import { RandomDraws } from '../../../src/base/random-draws.js';

describe('RandomDraws', () => {
  it('gives so many bytes at a time, and none twice, beyond what one call to the system serves', () => {
    const draws = new RandomDraws(16);
    const drawn = Array.from({ length: 2_000 }, () => draws.next().toString('hex'));
    expect(new Set(drawn).size).toBe(2_000);
    expect(new Set(drawn.map((text) => text.length))).toEqual(new Set([32]));
  });

  it('gives bytes that are the caller’s: what becomes of them changes no other draw', () => {
    const draws = new RandomDraws(8);
    const first = draws.next();
    const second = draws.next();
    const kept = second.toString('hex');
    first.fill(0);
    expect(second.toString('hex')).toBe(kept);
  });
});
