export interface LivenessOptions {
  /** Silence, while an answer is due, after which the gateway is asked for a sign of life, ms. */
  readonly pingAfterMs: number;
  /** Silence after which the connection is given up, ms. */
  readonly deadAfterMs: number;
}

/** `idle`: nothing is due; `wait`: look again in `inMs`; `ping`: ask now, then look again; `dead`: give up. */
export interface LivenessVerdict {
  readonly verdict: 'idle' | 'wait' | 'ping' | 'dead';
  readonly inMs: number;
}

/**
 * Finds out that a gateway is gone sooner than QUIC's idle timeout would (REPLICATION.md, "What
 * clients need"): only silence while an answer is due counts, and only after a ping stayed
 * unanswered too, so that a process that was suspended itself blames nobody.
 */
export class Liveness {
  private waiting = false;
  private quietSince = 0;
  private pingedAt = -1;

  constructor(private readonly options: LivenessOptions) {}

  /** Something was sent that the gateway answers. Returns whether nothing was due before. */
  expect(now: number): boolean {
    if (this.waiting) return false;
    this.waiting = true;
    this.quietSince = now;
    return true;
  }

  /** A frame came. @param stillWaiting whether answers are due besides it. */
  heard(now: number, stillWaiting: boolean): void {
    this.quietSince = now;
    this.pingedAt = -1;
    this.waiting = stillWaiting;
  }

  check(now: number): LivenessVerdict {
    if (!this.waiting) return { verdict: 'idle', inMs: 0 };
    const { pingAfterMs, deadAfterMs } = this.options;
    if (this.pingedAt === -1) {
      const left = this.quietSince + pingAfterMs - now;
      if (left > 0) return { verdict: 'wait', inMs: left };
      this.pingedAt = now;
      return { verdict: 'ping', inMs: deadAfterMs - pingAfterMs };
    }
    const left = this.pingedAt + deadAfterMs - pingAfterMs - now;
    return left > 0 ? { verdict: 'wait', inMs: left } : { verdict: 'dead', inMs: 0 };
  }
}
