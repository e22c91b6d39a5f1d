import type { Clock } from '../base/clock.js';

interface Reason {
  /** Monotonic ms from which on the next line may be written. */
  next: number;
  suppressed: number;
}

/** Between two lines of one reason, ms. */
export const LINE_PACE_MS = 10_000;

/** Paces lines of the log: what strangers or a lost route cause must not become a flood of lines. */
export class LinePace {
  private readonly reasons = new Map<string, Reason>();

  constructor(private readonly clock: Clock) {}

  /**
   * @param reason one of few and known.
   * @returns how many lines of this reason were left out before this one; null where this one is to be left out.
   */
  take(reason: string): number | null {
    const now = this.clock.now();
    let found = this.reasons.get(reason);
    if (found === undefined) this.reasons.set(reason, (found = { next: 0, suppressed: 0 }));
    if (now < found.next) {
      found.suppressed++;
      return null;
    }
    const { suppressed } = found;
    found.next = now + LINE_PACE_MS;
    found.suppressed = 0;
    return suppressed;
  }
}
