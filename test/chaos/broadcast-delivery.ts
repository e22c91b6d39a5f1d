import { readBroadcast } from './history.js';
import type { Broadcast, Recorded } from './history.js';
import type { Lapses } from './lapses.js';
import type { Violation } from './violation.js';

export interface Broadcasts {
  readonly violations: Violation[];
  /** Those that every client's session took. */
  readonly taken: number;
  /** Copies of those that never came, or came late, of a broadcast answered while replication promised nothing. */
  readonly conceded: number;
}

/** What one client got of the broadcasts. */
class Heard {
  readonly all = new Set<number>();
  private sinceAnew = new Set<number>();
  private highest = 0;

  /** @param since when it first had a session. */
  constructor(readonly since: number) {}

  anew(): void {
    this.sinceAnew = new Set();
    this.highest = 0;
  }

  /** @returns what is wrong with it. */
  take(number: number): 'duplicate' | 'reorder' | null {
    const again = this.sinceAnew.has(number);
    const late = number < this.highest;
    this.all.add(number);
    this.sinceAnew.add(number);
    this.highest = Math.max(this.highest, number);
    if (again) return 'duplicate';
    return late ? 'reorder' : null;
  }
}

/**
 * Broadcasts, made one after the other: one that every session took reaches every client; none comes twice, or behind
 * a later one, to a client that resumes.
 */
export function checkBroadcasts(facts: readonly Recorded[], lapses: Lapses): Broadcasts {
  const violations: Violation[] = [];
  const clients = new Map<string, Heard>();
  const answered = new Map<number, Broadcast & { at: number }>();
  for (const fact of facts) if (fact.kind === 'broadcast') answered.set(fact.number, fact);
  const isConceded = (number: number): boolean => {
    const { at } = answered.get(number) ?? { at: Infinity };
    return lapses.cover(at);
  };
  let conceded = 0;
  for (const fact of facts) {
    if (fact.kind === 'started' && !clients.has(fact.openid)) {
      clients.set(fact.openid, new Heard(fact.at));
    }
    if (fact.kind === 'anew') clients.get(fact.openid)?.anew();
    const number = fact.kind === 'arrived' ? readBroadcast(fact.text) : null;
    if (fact.kind !== 'arrived' || number === null) continue;
    const kind = clients.get(fact.openid)?.take(number) ?? null;
    if (kind === null) continue;
    if (isConceded(number)) conceded++;
    else violations.push({ kind, at: fact.at, text: `${fact.openid}: broadcast ${number} came` });
  }
  // Who comes after the last one is meant by none.
  const last = Math.max(...[...answered.values()].map(({ at }) => at));
  const meant = [...clients].filter(([, { since }]) => since < last);
  const taken = [...answered.values()].filter(({ sessions }) => sessions >= meant.length);
  for (const { number, node, at } of taken) {
    for (const [openid, { all }] of meant) {
      if (all.has(number)) continue;
      if (lapses.cover(at)) conceded++;
      else {
        const text = `${openid}: broadcast ${number}, taken by ${node}, never came`;
        violations.push({ kind: 'loss', at, text });
      }
    }
  }
  return { violations, taken: taken.length, conceded };
}
