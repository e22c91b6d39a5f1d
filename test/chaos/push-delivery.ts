import { linkAfter, readBroadcast, readPush } from './history.js';
import type { Accepted, Arrived, Recorded } from './history.js';
import { Lapses } from './lapses.js';
import type { Violation } from './violation.js';

/** What one client got of the pushes to it. */
class Inbox {
  /** Every time that a push was answered with success. */
  readonly accepted = new Map<number, (Accepted & { at: number })[]>();
  readonly arrived = new Set<number>();
  /** What came after later ones, or again: a violation, unless a deposed gateway had accepted it. */
  readonly late: { readonly number: number; readonly violation: Violation }[] = [];
  /** Number and hash of the last push; null where the next may be any that was seen already. */
  private last: { number: number; hash: string } | null = { number: 0, hash: '' };
  private highest = 0;

  constructor(private readonly openid: string) {}

  anew(): void {
    this.last = null;
  }

  take({ text, at }: Arrived & { at: number }): Violation[] {
    const { openid, number, hash } = readPush(text);
    if (openid !== this.openid) {
      return [{ kind: 'foreign push', at, text: `${this.openid} got "${text}"` }];
    }
    const { last } = this;
    if (last !== null && number <= last.number) {
      const what = `${this.openid}: push ${number} came`;
      const seen = this.arrived.has(number);
      const text = `${what} ${seen ? 'again' : 'late'}, due was ${last.number + 1}`;
      this.late.push({ number, violation: { kind: seen ? 'duplicate' : 'reorder', at, text } });
      this.arrived.add(number);
      return [];
    }
    const found = this.judge(number, hash, last, at);
    this.last = { number, hash };
    this.highest = Math.max(this.highest, number);
    this.arrived.add(number);
    return found;
  }

  accept(fact: Accepted & { at: number }): void {
    this.accepted.set(fact.number, [...(this.accepted.get(fact.number) ?? []), fact]);
  }

  /** Which accepted pushes never came: when they were accepted. */
  lost(): (Accepted & { at: number })[][] {
    return [...this.accepted].flatMap(([number, times]) =>
      this.arrived.has(number) ? [] : [times],
    );
  }

  private judge(
    number: number,
    hash: string,
    last: { number: number; hash: string } | null,
    at: number,
  ): Violation[] {
    const due = last === null ? this.highest + 1 : last.number + 1;
    if (last === null && number <= due) return [];
    // A skipped push is judged at the end: whether it was accepted, may be lost, or came late.
    if (last !== null && number === due && hash !== linkAfter(last.hash, this.openid, number)) {
      const text = `${this.openid}: push ${number} does not follow the one before it`;
      return [{ kind: 'foreign push', at, text }];
    }
    return [];
  }
}

export interface Deliveries {
  readonly violations: Violation[];
  readonly accepted: number;
  readonly arrived: number;
  /** Accepted while replication promised nothing, and lost. */
  readonly lostAsConceded: number;
  /** Accepted while replication promised nothing, and offered later to the gateway that serves. */
  readonly lateAsConceded: number;
}

/**
 * Accepted pushes, by the hash chain of each openid: every push answered with success arrives, in order, and once for
 * a client that resumes.
 */
export function checkPushDelivery(facts: readonly Recorded[]): Deliveries {
  const violations: Violation[] = [];
  const inboxes = new Map<string, Inbox>();
  const inboxOf = (openid: string): Inbox => {
    const inbox = inboxes.get(openid) ?? new Inbox(openid);
    inboxes.set(openid, inbox);
    return inbox;
  };
  for (const fact of facts) {
    if (fact.kind === 'accepted') inboxOf(fact.openid).accept(fact);
    else if (fact.kind === 'anew') inboxOf(fact.openid).anew();
    else if (fact.kind === 'arrived' && readBroadcast(fact.text) === null)
      violations.push(...inboxOf(fact.openid).take(fact));
  }
  let [accepted, arrived, lostAsConceded, lateAsConceded] = [0, 0, 0, 0];
  const lapses = new Lapses(facts);
  for (const inbox of inboxes.values()) {
    accepted += inbox.accepted.size;
    arrived += inbox.arrived.size;
    for (const { number, violation } of inbox.late) {
      const taken = inbox.accepted.get(number) ?? [];
      if (taken.some(({ at }) => lapses.cover(at))) lateAsConceded++;
      else violations.push(violation);
    }
    for (const times of inbox.lost()) {
      const promised = times.find(({ at }) => !lapses.cover(at));
      if (promised === undefined) lostAsConceded++;
      else {
        const { openid, number, node, at } = promised;
        const text = `${openid}: push ${number}, accepted by ${node}, never came`;
        violations.push({ kind: 'loss', at, text });
      }
    }
  }
  return { violations, accepted, arrived, lostAsConceded, lateAsConceded };
}
