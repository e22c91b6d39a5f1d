import { describe, expect, test } from '@jest/globals';
import { BURST_TYPE, Burst } from '../../../src/playground/burst.js';
import { Push } from '../../../src/sdk/client/core/payload.js';

const utf8 = new TextEncoder();

/** A push of a burst as the demo's service sends it. */
function push(number: number, id = 'x', type = BURST_TYPE): Push {
  return new Push(number, `[${type}] ${number} of 3`, utf8.encode(id), {});
}

describe('a burst', () => {
  test('is complete when every number has come, over whatever connection', () => {
    const burst = new Burst('x', 3);
    expect(burst.take(push(1), 1)).toBe(1);
    expect(burst.take(push(2), 2)).toBe(2);
    expect(burst.complete).toBe(false);
    expect(burst.take(push(3), 2)).toBe(3);
    expect(burst.complete).toBe(true);
    expect(burst.tally).toEqual({ count: 3, arrived: 3, twice: 0, outOfOrder: 0, afterCut: 2 });
  });

  test('sees what comes twice or out of order', () => {
    const burst = new Burst('x', 3);
    for (const number of [1, 3, 2, 3]) burst.take(push(number), 1);
    expect(burst.tally).toEqual({ count: 3, arrived: 3, twice: 1, outOfOrder: 1, afterCut: 0 });
  });

  test('leaves other pushes alone', () => {
    const burst = new Burst('x', 3);
    expect(burst.take(push(1, 'y'), 1)).toBe(0);
    expect(burst.take(push(1, 'x', 'broadcast'), 1)).toBe(0);
    expect(burst.tally.arrived).toBe(0);
  });
});
