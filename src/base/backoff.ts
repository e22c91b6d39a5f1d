export interface BackoffOptions {
  /** The first pause, ms. */
  readonly firstMs: number;
  /** No pause is longer, jitter apart, ms. */
  readonly longestMs: number;
  /** Each pause is so many times the one before; default 2. */
  readonly factor?: number;
  /** Pauses differ by up to this share, so that those who wait do not return all at once; default 0. */
  readonly jitter?: number;
}

/** Pauses between attempts that fail: each longer than the one before, up to a limit. */
export class Backoff {
  private pauseMs = 0;

  /** @param random uniform in [0, 1). */
  constructor(
    private readonly options: BackoffOptions,
    private readonly random: () => number = Math.random,
  ) {}

  /** The pause before the next attempt, ms. */
  next(): number {
    const { firstMs, longestMs, factor = 2, jitter = 0 } = this.options;
    this.pauseMs = Math.min(longestMs, this.pauseMs === 0 ? firstMs : this.pauseMs * factor);
    return this.pauseMs * (1 + (this.random() * 2 - 1) * jitter);
  }

  /** An attempt has succeeded: the next pause is the first again. */
  reset(): void {
    this.pauseMs = 0;
  }
}
