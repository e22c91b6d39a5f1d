import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { RingQueue } from '../../../src/base/ring-queue.js';

describe('RingQueue', () => {
  it('behaves as an array does under any mix of push and shift', () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.integer(), { nil: null }), { maxLength: 200 }), (steps) => {
        const queue = new RingQueue<number>();
        const model: number[] = [];
        for (const step of steps) {
          if (step === null) expect(queue.shift()).toBe(model.shift());
          else {
            queue.push(step);
            model.push(step);
          }
          expect(queue.length).toBe(model.length);
        }
        expect([...queue]).toEqual(model);
        expect(queue.at(0)).toBe(model[0]);
        expect(queue.at(-1)).toBeUndefined();
        expect(queue.at(model.length)).toBeUndefined();
      }),
    );
  });

  it('is empty and usable after clear', () => {
    const queue = new RingQueue<string>();
    queue.push('a');
    queue.clear();
    expect(queue.shift()).toBeUndefined();
    queue.push('b');
    expect([...queue]).toEqual(['b']);
  });
});
