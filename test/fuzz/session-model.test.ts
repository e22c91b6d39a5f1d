import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { OverloadOptions } from '../../src/session/overload/options.js';
import type { SessionOptions } from '../../src/session/options.js';
import { SessionWorld, step } from '../support/session-world.js';

const RUNS = Number(process.env['FUZZ_RUNS'] ?? 1_000);

interface Variant {
  readonly overload?: Partial<OverloadOptions>;
  readonly options?: Partial<SessionOptions>;
}

/** So tight that every third request or so is refused, 429 or 503. */
const tight: Partial<OverloadOptions> = {
  maxQps: 2,
  qpsWindow: 1_000,
  sessionQps: 1,
  sessionBurst: 3,
};

/** More pushes may wait for the login than the outbox takes. */
const login: Partial<SessionOptions> = { loginAction: 'echo', outboxMaxFrames: 4 };

const few = Math.ceil(RUNS / 4);
const courses: [SessionWorld['kind'], string, Variant, number][] = [
  ['sdk', 'no limits', {}, RUNS],
  ['deployed', 'no limits', {}, RUNS],
  ['sdk', 'tight limits', { overload: tight }, few],
  ['deployed', 'tight limits', { overload: tight }, few],
  ['sdk', 'a login', { options: login }, few],
  ['deployed', 'a login', { options: login }, few],
];

describe.each(courses)('a %s client in any course of events, with %s', (kind, _, variant, runs) => {
  test('misses no accepted push, sees numbers without a gap, and nothing is executed twice', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 5, maxLength: 60 }), (steps) => {
        const world = new SessionWorld(kind, variant.overload ?? {}, variant.options);
        world.app.connect();
        for (const item of steps) world.run(item);
        world.finish();
        const missing = world.accepted.filter((text) => !world.app.delivered.has(text));
        if (!world.app.unrecoveredTold) expect(missing).toEqual([]);
      }),
      { numRuns: runs },
    );
  });
});
