import type { Accepted, Fault, FrameReceived, Recorded } from './history.js';
import type { Violation } from './violation.js';

/**
 * What a gateway wrote before another was promoted may be read so much later, ms: the reader shares a small machine
 * with everything else.
 */
const READ_LATE_MS = 2_000;

/**
 * A gateway that was stopped between its check and its sendmsg lets one flush out when it goes on; it is
 * read within so many ms of SIGCONT.
 */
const FLUSH_READ_MS = 1_000;

/** How a fault says that a gateway which was stopped goes on. */
export const CONTINUED = 'SIGCONT';

export interface Primaries {
  readonly violations: Violation[];
  /** The highest epoch that a client was told. */
  readonly epoch: number;
  /** Frames and acceptances of a former primary that REPLICATION.md concedes. */
  readonly conceded: number;
}

/**
 * Invariant 6: an epoch belongs to one gateway, and once a client was served in a higher epoch no other
 * gateway delivers or accepts.
 */
export function checkOnePrimary(facts: readonly Recorded[]): Primaries {
  const violations: Violation[] = [];
  const owner = new Map<number, string>();
  const epochOf = new Map<string, number>();
  const continuedAt = new Map<string, number>();
  let [epoch, since, conceded, twoMayServeUntil] = [0, 0, 0, 0];

  const sawFault = (fault: Fault & { at: number }): void => {
    if (fault.what === CONTINUED) continuedAt.set(fault.node, fault.at);
    const until = fault.at + (fault.twoMayServeForMs ?? 0);
    twoMayServeUntil = Math.max(twoMayServeUntil, until);
  };
  const sawActivity = (fact: (FrameReceived | Accepted) & { at: number }): void => {
    const { node, at } = fact;
    if (node === owner.get(epoch) || (epochOf.get(node) ?? 0) >= epoch) return;
    if (at <= twoMayServeUntil) return;
    const flushed = at - (continuedAt.get(node) ?? -Infinity) <= FLUSH_READ_MS;
    if (flushed || at - since <= READ_LATE_MS) {
      conceded++;
      return;
    }
    const what = fact.kind === 'frame' ? `delivered ${fact.seq}` : `accepted push ${fact.number}`;
    const text = `${node} ${what} of ${fact.openid}, ${at - since} ms into epoch ${epoch} of ${owner.get(epoch) ?? '?'}`;
    violations.push({ kind: 'two primaries', at, text });
  };

  for (const fact of facts) {
    if (fact.kind === 'fault') sawFault(fact);
    else if (fact.kind === 'started') {
      const { node, at } = fact;
      const first = owner.get(fact.epoch) ?? node;
      owner.set(fact.epoch, first);
      if (first !== node) {
        const text = `epoch ${fact.epoch} belongs to ${first}, and ${node} serves in it`;
        violations.push({ kind: 'two primaries', at, text });
      }
      epochOf.set(node, Math.max(epochOf.get(node) ?? 0, fact.epoch));
      if (fact.epoch > epoch) [epoch, since] = [fact.epoch, at];
    } else if (fact.kind === 'frame' || fact.kind === 'accepted') sawActivity(fact);
  }
  return { violations, epoch, conceded };
}
