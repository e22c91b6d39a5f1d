import type { Recorded } from './history.js';

/** A gateway is asked now and then, and may have degraded as long before the answer, or recover as late, ms. */
const SEEN_LATE_MS = 2_000;

/** When success promised less than delivery: REPLICATION.md, `on_timeout: degrade`. */
export class Lapses {
  private readonly all: { readonly from: number; readonly to: number }[] = [];

  constructor(facts: readonly Recorded[]) {
    let since: number | null = null;
    const end = (at: number): void => {
      if (since !== null) this.all.push({ from: since - SEEN_LATE_MS, to: at + SEEN_LATE_MS });
      since = null;
    };
    for (const fact of facts) {
      if (fact.kind !== 'promise') continue;
      if (fact.holds) end(fact.at);
      else since ??= fact.at;
    }
    end(Infinity);
  }

  /** Whether what was answered with success then may be lost. */
  cover(at: number): boolean {
    return this.all.some(({ from, to }) => from <= at && at <= to);
  }
}
