import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { NumberMap } from '../../../src/base/number-map.js';

const named = (name: string) => ({ name });

/** What a step does to both maps. */
type Step = ['set' | 'delete' | 'get', number];

/** Few numbers, so that steps meet; others that share their low 32 bits with them; the largest. */
const keys = fc.oneof(
  fc.integer({ min: 0, max: 20 }),
  fc.integer({ min: 0, max: 20 }).map((low) => low + 2 ** 32),
  fc.integer({ min: 0, max: 20 }).map((low) => Number.MAX_SAFE_INTEGER - low),
);

describe('NumberMap', () => {
  it('is empty at first', () => {
    const map = new NumberMap<object>();

    expect([map.size, map.get(0), map.has(0), map.delete(0), [...map.values()]]).toEqual([
      0,
      undefined,
      false,
      false,
      [],
    ]);
  });

  it('takes 0 as a number like any other', () => {
    const map = new NumberMap<object>();
    map.set(1, named('one'));

    expect([map.get(0), map.delete(0)]).toEqual([undefined, false]);
    map.set(0, named('zero'));
    expect([map.get(0), map.size]).toEqual([named('zero'), 2]);
  });

  it('behaves as a Map does, whatever is set and deleted', () => {
    const step: fc.Arbitrary<Step> = fc.tuple(fc.constantFrom('set', 'delete', 'get'), keys);
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const map = new NumberMap<object>();
        const model = new Map<number, object>();
        for (const [what, key] of steps) {
          if (what === 'set') {
            const value = named(`${key}`);
            map.set(key, value);
            model.set(key, value);
          } else if (what === 'delete') {
            expect(map.delete(key)).toBe(model.delete(key));
          }
          expect(map.get(key)).toBe(model.get(key));
          expect(map.size).toBe(model.size);
        }
        for (const [key, value] of model) expect(map.get(key)).toBe(value);
        expect(new Set(map.values())).toEqual(new Set(model.values()));
      }),
    );
  });

  it('holds many, and finds what is left when most are gone', () => {
    const map = new NumberMap<{ name: string }>();
    for (let key = 1; key <= 10_000; key++) map.set(key, named(`${key}`));
    for (let key = 1; key <= 10_000; key++) if (key % 100 !== 0) map.delete(key);

    expect(map.size).toBe(100);
    for (let key = 100; key <= 10_000; key += 100) expect(map.get(key)).toEqual(named(`${key}`));
  });
});
