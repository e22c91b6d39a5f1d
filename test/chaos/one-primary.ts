import type { Accepted, Recorded } from './history.js';
import type { Violation } from './violation.js';

/**
 * `make test` shares its machine with others, who may hold any gateway up for seconds as SIGSTOP does, ms;
 * `make chaos`, which sets MINUTES, is for a machine of its own.
 */
const NOISE_MS = process.env['MINUTES'] === undefined ? 3_000 : 0;

/**
 * What a gateway wrote before another was promoted may be read so much later, ms: the reader shares a small machine
 * with everything else.
 */
const READ_LATE_MS = 2_000 + NOISE_MS;

/**
 * A gateway that was stopped between its check and its sendmsg lets one flush out when it goes on; it is
 * read within so many ms of SIGCONT.
 */
const FLUSH_READ_MS = 1_000 + NOISE_MS;

/** How a fault says that a gateway which was stopped goes on, and that one was killed. */
export const CONTINUED = 'SIGCONT';
export const KILLED = 'SIGKILL';

export interface Primaries {
  readonly violations: Violation[];
  /** The highest epoch that was seen. */
  readonly epoch: number;
  /** Frames and acceptances of a former primary that REPLICATION.md concedes. */
  readonly conceded: number;
}

/** Who is known to serve in which epoch, as the history goes by. */
class Epochs {
  private readonly owners = new Map<number, string>();
  private highest = 0;
  private since = 0;

  get epoch(): number {
    return this.highest;
  }

  get owner(): string {
    return this.owners.get(this.highest) ?? '';
  }

  /** For how long the highest epoch has been known, ms. */
  ageAt(at: number): number {
    return at - this.since;
  }

  saw(node: string, epoch: number, at: number): Violation[] {
    const first = this.owners.get(epoch) ?? node;
    this.owners.set(epoch, first);
    if (epoch > this.highest) [this.highest, this.since] = [epoch, at];
    if (first === node) return [];
    const text = `epoch ${epoch} belongs to ${first}, and ${node} serves in it`;
    return [{ kind: 'two primaries', at, text }];
  }
}

/**
 * One primary: an epoch belongs to one gateway, and once one was seen to serve in a higher epoch no other
 * delivers or accepts.
 */
export function checkOnePrimary(facts: readonly Recorded[]): Primaries {
  const violations: Violation[] = [];
  const epochs = new Epochs();
  const epochOfLink = new Map<number, number>();
  const continuedAt = new Map<string, number>();
  let [conceded, twoMayServeUntil] = [0, 0];

  const stale = (node: string, at: number, what: string): void => {
    if (at <= twoMayServeUntil) return;
    const flushed = at - (continuedAt.get(node) ?? -Infinity) <= FLUSH_READ_MS;
    if (flushed || epochs.ageAt(at) <= READ_LATE_MS) {
      conceded++;
      return;
    }
    const text = `${node} ${what}, ${epochs.ageAt(at)} ms into epoch ${epochs.epoch} of ${epochs.owner}`;
    violations.push({ kind: 'two primaries', at, text });
  };

  facts.forEach((fact, index) => {
    const { at } = fact;
    if (fact.kind === 'fault') {
      if (fact.what === CONTINUED) continuedAt.set(fact.node, at);
      twoMayServeUntil = Math.max(twoMayServeUntil, at + (fact.twoMayServeForMs ?? 0));
    } else if (fact.kind === 'started') {
      violations.push(...epochs.saw(fact.node, fact.epoch, at));
      epochOfLink.set(fact.link, fact.epoch);
    } else if (fact.kind === 'role' && fact.primary) {
      violations.push(...epochs.saw(fact.node, fact.epoch, at));
    } else if (fact.kind === 'frame') {
      if (fact.node === epochs.owner || (epochOfLink.get(fact.link) ?? 0) >= epochs.epoch) return;
      stale(fact.node, at, `delivered ${fact.seq} of ${fact.openid}`);
    } else if (fact.kind === 'accepted') {
      if (fact.node === epochs.owner || isPromotedNext(facts, index, fact, epochs.epoch)) return;
      stale(fact.node, at, `accepted push ${fact.number} of ${fact.openid}`);
    }
  });
  return { violations, epoch: epochs.epoch, conceded };
}

/**
 * A promoted gateway may accept before anyone saw its epoch: what it is seen to be next decides. Where
 * it was killed before that, nobody can say.
 */
function isPromotedNext(
  facts: readonly Recorded[],
  index: number,
  { node, at }: Accepted & { at: number },
  epoch: number,
): boolean {
  for (let next = index + 1; next < facts.length; next++) {
    const fact = facts[next] as Recorded;
    if (fact.kind === 'fault' && fact.node === node && fact.what === KILLED) return true;
    if (fact.kind === 'started' && fact.node === node) return fact.epoch > epoch;
    if (fact.kind === 'role' && fact.node === node && fact.askedAt >= at) {
      return fact.primary && fact.epoch > epoch;
    }
  }
  return true;
}
