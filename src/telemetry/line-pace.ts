import type { Clock } from '../base/clock.js';

interface Reason {
  /** Monotonic ms from which on the next line may be written. */
  next: number;
  suppressed: number;
}

/** At most one line of the log per reason in some time: what strangers cause must not become a flood of lines. */
export class LinePace {
  private readonly reasons = new Map<string, Reason>();

  /** @param againMs between two lines of one reason. */
  constructor(
    private readonly clock: Clock,
    private readonly againMs: number,
  ) {}

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
    found.next = now + this.againMs;
    found.suppressed = 0;
    return suppressed;
  }
}
