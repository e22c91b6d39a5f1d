import { expect } from '@jest/globals';
import { SessionState } from '../../src/wire/messages.js';
import type { StateRecord } from '../../src/wire/messages.js';
import { copies } from './session-world.js';

/** Times to live are exact to a second (JournalWriter, MOMENT_MS). */
const TTL_SLACK_MS = 1_000;

interface Comparable {
  readonly floor: number;
  readonly sessions: SessionState[];
  readonly offline: string[];
  /** With the time to live of each. */
  readonly ttls: [string, number][];
}

/** A snapshot without what is known to differ: in a journal whatever was appended counts as sent. */
function comparable(records: Iterable<StateRecord>): Comparable {
  const found = { floor: 0, sessions: [], offline: [], ttls: [] } as {
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
      const text = `${offlinePush.openid}/${offlinePush.waiting}/${body}`;
      found.offline.push(text);
      found.ttls.push([text, offlinePush.ttl ?? 0]);
    }
    if (key) found.ttls.push([`${key.key}/${key.digest}`, key.ttl ?? 0]);
  }
  found.sessions.sort((one, other) => one.handle - other.handle);
  // Of one openid the order counts, and is told apart from that of openids by a stable sort.
  found.offline.sort((one, other) => openidOf(one).localeCompare(openidOf(other)));
  found.ttls.sort(([one], [other]) => one.localeCompare(other));
  return found;
}

function openidOf(text: string): string {
  return text.slice(0, text.indexOf('/'));
}

/** Whether what was read from a journal is what the gateway has that wrote it. */
export function expectSameState(read: Iterable<StateRecord>, live: Iterable<StateRecord>): void {
  const told = comparable(read);
  const has = comparable(live);
  expect({ ...told, ttls: [] }).toEqual({ ...has, ttls: [] });
  expect(told.ttls.map(([name]) => name)).toEqual(has.ttls.map(([name]) => name));
  for (const [index, [, ttl]] of told.ttls.entries()) {
    // The journal's time stands still while nothing happens: never less than is left, but more.
    expect(ttl).toBeGreaterThanOrEqual((has.ttls[index]?.[1] ?? 0) - TTL_SLACK_MS);
  }
}
