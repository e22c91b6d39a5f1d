/** How an instance stands: `suspect` has failed lately but is used, `ejected` gets only probes. */
export type InstanceState = 'ok' | 'suspect' | 'ejected';

/** Consecutive failures that make an instance count as dead (DESIGN.md, "Upstreams"). */
const DEAD_AFTER_FAILURES = 5;

/**
 * The breaker of one instance. It only counts and remembers; its pool decides on ejection, because
 * the last instance of a zone is never ejected however dead it is.
 */
export class InstanceHealth {
  /** Connect errors, UNAVAILABLE and failed probes since the last sign of life. */
  failures = 0;
  /** Clock time of becoming dead, ms; meaningful while `dead`. */
  deadSince = 0;
  /** Clock time of the last sign of life, ms; -Infinity before the first. */
  lastAlive = -Infinity;
  lastError = '';
  ejected = false;
  /** The outage that counted last. */
  private outage = 0;

  get dead(): boolean {
    return this.failures >= DEAD_AFTER_FAILURES;
  }

  get state(): InstanceState {
    if (this.ejected) return 'ejected';
    return this.failures === 0 ? 'ok' : 'suspect';
  }

  /**
   * @param outage what many requests fail by together, an attempt to connect or a lost connection, counts once
   *   (UnaryCaller); 0: counts by itself.
   */
  noteFailure(now: number, error: string, outage: number): void {
    this.lastError = error;
    if (outage !== 0) {
      if (outage === this.outage) return;
      this.outage = outage;
    }
    this.failures++;
    if (this.failures === DEAD_AFTER_FAILURES) this.deadSince = now;
  }

  /** @returns whether the instance was not well before. */
  noteAlive(now: number): boolean {
    this.lastAlive = now;
    if (this.failures === 0 && !this.ejected) return false;
    this.reset();
    return true;
  }

  /** A process that registers again starts with a clean slate. */
  reset(): void {
    this.failures = 0;
    this.ejected = false;
  }
}
