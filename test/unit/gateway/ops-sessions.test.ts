import { describe, expect, it, test } from '@jest/globals';
import { selectSessions, sumByZone } from '../../../src/gateway/ops-sessions.js';
import type { SessionQuery } from '../../../src/ops/ops-source.js';
import type { Session } from '../../../src/session/session.js';
import { SessionRegistry } from '../../../src/session/session-registry.js';
import { SessionHarness } from '../../support/session-harness.js';

/** As much of a session as a page of sessions looks at. */
function session(index: number): Session {
  return {
    id: `s${index}`,
    handle: index + 1,
    openid: `${index % 2 === 0 ? 'even' : 'odd'}-${index}`,
    zone: `00${(index % 3) + 1}`,
    active: index % 4 !== 0,
    outbox: { totalFrames: index },
    ledger: { inFlight: 1 },
    beganAtClaim: true,
  } as unknown as Session;
}

function registryOf(sessions: Session[]): SessionRegistry {
  const registry = new SessionRegistry(1_000);
  for (const each of sessions) registry.add(each);
  return registry;
}

const EVERYTHING: SessionQuery = { offset: 0, limit: 10, after: 0, openidPrefix: '', zone: '' };

function ids(registry: SessionRegistry, query: Partial<SessionQuery>) {
  const { page, more } = selectSessions(registry, { ...EVERYTHING, ...query });
  return { page: page.map(({ id }) => id), more };
}

/** Goes through all pages by cursor, doing something between them. */
function walk(registry: SessionRegistry, limit: number, between: (page: Session[]) => void) {
  const seen: string[] = [];
  let query: SessionQuery = { ...EVERYTHING, limit };
  for (let turn = 0; turn < 100; turn++) {
    const { page, more } = selectSessions(registry, query);
    seen.push(...page.map(({ id }) => id));
    const last = page.at(-1);
    if (!more || last === undefined) return seen;
    query = { ...query, after: last.handle };
    between(page);
  }
  throw new Error('endless');
}

describe('pages of sessions', () => {
  const registry = registryOf(Array.from({ length: 25 }, (_, index) => session(index)));

  it('skip by offset, and tell whether more follow', () => {
    expect(ids(registry, { offset: 22 })).toEqual({ page: ['s22', 's23', 's24'], more: false });
    expect(ids(registry, { offset: 13, limit: 2 })).toEqual({ page: ['s13', 's14'], more: true });
    expect(ids(registry, { offset: 15, limit: 10 })).toMatchObject({ more: false });
    expect(ids(registry, { offset: 99 })).toEqual({ page: [], more: false });
  });

  it('hold only sessions that match, and count only these', () => {
    expect(ids(registry, { openidPrefix: 'odd-1' })).toEqual({
      page: ['s1', 's11', 's13', 's15', 's17', 's19'],
      more: false,
    });
    const query = { openidPrefix: 'even', zone: '001', offset: 1, limit: 2 };
    expect(ids(registry, query)).toEqual({ page: ['s6', 's12'], more: true });
    expect(ids(registry, { zone: '006' })).toEqual({ page: [], more: false });
    expect(ids(registry, { openidPrefix: 'even-24x' })).toEqual({ page: [], more: false });
  });

  it('show by cursor every session that stays exactly once, though others come and go', () => {
    const all = Array.from({ length: 40 }, (_, index) => session(index));
    const changing = registryOf(all);
    let next = 100;
    const seen = walk(changing, 7, (page) => {
      changing.remove(page.at(-1) as Session);
      changing.remove(page[0] as Session);
      changing.add(session(next++));
    });
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toEqual(expect.arrayContaining(all.map(({ id }) => id)));
  });

  it('go on over a restart, where the longest detached are restored first', () => {
    const former = new SessionHarness();
    former.started('first');
    former.started('second');
    former.started('third').link.lose();
    former.advance(1_000);
    const { service } = new SessionHarness();
    service.archive.restore(former.service.archive.snapshot());
    const seen = walk(service.registry, 1, ([shown]) => service.registry.remove(shown as Session));
    const openids = new Map(
      [...former.service.registry.all()].map(({ id, openid }) => [id, openid]),
    );
    expect(seen.map((id) => openids.get(id))).toEqual(['first', 'second', 'third']);
  });
});

test('sums of zones', () => {
  const sums = sumByZone([0, 1, 2, 3].map((index) => session(index)));
  expect(sums).toEqual([
    { zone: '001', sessions: 2, active: 1, pendingFrames: 3, inFlight: 2 },
    { zone: '002', sessions: 1, active: 1, pendingFrames: 1, inFlight: 1 },
    { zone: '003', sessions: 1, active: 1, pendingFrames: 2, inFlight: 1 },
  ]);
});
