import { describe, expect, test } from '@jest/globals';
import { Liveness } from '../../../../../src/sdk/client/core/liveness.js';

const options = { pingAfterMs: 1_000, deadAfterMs: 3_000 };

describe('Liveness', () => {
  test('pings after a second without an answer and gives up after three', () => {
    const liveness = new Liveness(options);
    expect(liveness.expect(0)).toBe(true);
    expect(liveness.check(400)).toEqual({ verdict: 'wait', inMs: 600 });
    expect(liveness.check(1_000)).toEqual({ verdict: 'ping', inMs: 2_000 });
    expect(liveness.check(2_000)).toEqual({ verdict: 'wait', inMs: 1_000 });
    expect(liveness.check(3_000)).toEqual({ verdict: 'dead', inMs: 0 });
  });

  test('any frame is a sign of life, and without an answer due silence means nothing', () => {
    const liveness = new Liveness(options);
    liveness.expect(0);
    liveness.check(1_000);
    liveness.heard(1_200, true);
    expect(liveness.check(1_300)).toEqual({ verdict: 'wait', inMs: 900 });
    liveness.heard(1_400, false);
    expect(liveness.check(60_000).verdict).toBe('idle');
    expect(liveness.expect(60_000)).toBe(true);
    expect(liveness.expect(60_100)).toBe(false);
    expect(liveness.check(60_500)).toEqual({ verdict: 'wait', inMs: 500 });
  });

  test('a suspended process asks first, however long it slept', () => {
    const liveness = new Liveness(options);
    liveness.expect(0);
    expect(liveness.check(3_600_000)).toEqual({ verdict: 'ping', inMs: 2_000 });
    expect(liveness.check(3_602_000).verdict).toBe('dead');
  });
});
