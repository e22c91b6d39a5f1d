import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { JournalImage } from '../../src/journal/journal-image.js';
import { SessionState } from '../../src/wire/messages.js';
import type { StateRecord } from '../../src/wire/messages.js';
import { SessionWorld, copies, step } from '../support/session-world.js';

const numRuns = Math.ceil(Number(process.env['FUZZ_RUNS'] ?? 2_000) / 20);

/** Times to live are exact to a second (JournalWriter, MOMENT_MS). */
const TTL_SLACK_MS = 1_000;

interface Comparable {
  readonly floor: number;
  readonly sessions: SessionState[];
  readonly offline: string[];
  readonly keys: string[];
  readonly ttls: number[];
}

/** A snapshot without what is known to differ: in a journal whatever was appended counts as sent. */
function comparable(records: Iterable<StateRecord>): Comparable {
  const found = { floor: 0, sessions: [], offline: [], keys: [], ttls: [] } as {
    -readonly [Key in keyof Comparable]: Comparable[Key];
  };
  for (const { header, session, offlinePush, key } of copies(records)) {
    if (header) found.floor = header.numberFloor ?? 0;
    if (session) {
      const state = new SessionState(session);
      const sent = state.outbox.length > 0 ? state.nextSeq - 1 : 0;
      state.highestSent = Math.max(state.highestSent, sent);
      found.sessions.push(state);
    }
    if (offlinePush) {
      const body = Buffer.from(offlinePush.body ?? []).toString('hex');
      found.offline.push(`${offlinePush.openid}/${offlinePush.waiting}/${body}`);
      found.ttls.push(offlinePush.ttl ?? 0);
    }
    if (key) {
      found.keys.push(`${key.key}/${key.digest}`);
      found.ttls.push(key.ttl ?? 0);
    }
  }
  found.sessions.sort((one, other) => one.handle - other.handle);
  return found;
}

function expectSame(image: JournalImage, world: SessionWorld): void {
  world.harness.journal?.flush();
  const told = comparable(image.records());
  const live = comparable(world.harness.service.snapshot());
  expect({ ...told, ttls: [] }).toEqual({ ...live, ttls: [] });
  expect(told.ttls.length).toBe(live.ttls.length);
  for (const [index, ttl] of told.ttls.entries()) {
    // The journal's time stands still while nothing happens: never less than is left, but more.
    expect(ttl).toBeGreaterThanOrEqual((live.ttls[index] ?? 0) - TTL_SLACK_MS);
  }
}

describe.each([
  ['sdk', '', {}],
  ['deployed', '', {}],
  ['sdk', 'with a login', { loginAction: 'echo' }],
  ['deployed', 'with short windows', { resumeWindow: 5_000, offlineTtl: 15_000 }],
  ['sdk', 'with tight limits', { outboxMaxFrames: 6 }],
] as const)('any course of events of a %s client %s', (kind, _, options) => {
  test('is in the journal: reading it gives what the gateway has, and restarts from it lose nothing', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 5, maxLength: 60 }), (steps) => {
        const image = new JournalImage();
        const world = new SessionWorld(kind, {}, options, image);
        world.app.connect();
        for (const item of steps) world.run(item);
        expectSame(image, world);
        world.finish();
        expectSame(image, world);
        if (world.app.unrecoveredTold || Object.keys(options).length > 0) return;
        expect(world.accepted.filter((text) => !world.app.delivered.has(text))).toEqual([]);
      }),
      { numRuns },
    );
  });
});
