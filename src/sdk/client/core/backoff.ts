export interface BackoffOptions {
  /** Upper bound of the first delay, ms. */
  readonly minDelayMs: number;
  /** Upper bound of every delay, ms. */
  readonly maxDelayMs: number;
}

/**
 * Full-jitter exponential backoff: the n-th delay is uniform between 0 and min(max, min x 2^n), so
 * that clients cut off together do not come back together.
 */
export class Backoff {
  private failures = 0;

  /** @param random uniform in [0, 1). */
  constructor(
    private readonly options: BackoffOptions,
    private readonly random: () => number = Math.random,
  ) {}

  /** The delay before the next attempt, ms. */
  next(): number {
    const { minDelayMs, maxDelayMs } = this.options;
    // 2^30 steps are far above any maximum; beyond it the product would leave the exact range.
    const ceiling = Math.min(maxDelayMs, minDelayMs * 2 ** Math.min(this.failures, 30));
    this.failures++;
    return Math.round(this.random() * ceiling);
  }

  reset(): void {
    this.failures = 0;
  }
}
