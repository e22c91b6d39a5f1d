/** Waits below it come from rounding, ms. */
const ROUNDING_MS = 0.001;

/** How fast a bucket fills and how much it holds. */
export class BucketLimit {
  /** Time in which one token flows in, ms. */
  readonly interval: number;
  /** How far a full bucket may be overdrawn in time, ms. */
  readonly tolerance: number;

  /** @param burst tokens of a full bucket, at least one. */
  constructor(perSecond: number, burst: number) {
    this.interval = 1000 / perSecond;
    this.tolerance = (Math.max(1, burst) - 1) * this.interval;
  }
}

/**
 * A token bucket in one number: the time at which it is full again (the generic cell rate algorithm,
 * ITU-T I.371). Nothing has to refill it.
 */
export class TokenBucket {
  private fullAt = 0;

  constructor(private readonly limit: BucketLimit) {}

  /** Takes a token. @returns 0, or the ms to wait for one. */
  take(now: number): number {
    const fullAt = Math.max(this.fullAt, now);
    const wait = fullAt - this.limit.tolerance - now;
    if (wait > ROUNDING_MS) return wait;
    this.fullAt = fullAt + this.limit.interval;
    return 0;
  }

  /** Whether it is full: as good as a new one. */
  isFull(now: number): boolean {
    return this.fullAt <= now;
  }
}
