import { LatencyWindow } from './latency-window.js';

/**
 * One in so many is timed: the two clock readings and the record of it cost about 0.3 us, so each pays
 * 10 ns. A prime, so that what comes in turns (request, acknowledgement, request, ...) is met evenly.
 */
const PERIOD = 31;

/** A step that says when it begins and ends. */
export interface Timing {
  begin(): void;
  end(): void;
}

interface Now {
  /** Monotonic ms. */
  now(): number;
}

/**
 * How long one synchronous step takes, from a sample of its runs. A run that begins anew before it
 * ended is forgotten.
 */
export class SampledStage {
  readonly window = new LatencyWindow();
  private left = 1;
  private began = 0;

  /** For whoever has no clock. */
  timedBy(clock: Now): Timing {
    return { begin: () => this.begin(clock), end: () => this.end(clock) };
  }

  begin(clock: Now): void {
    this.began = 0;
    if (--this.left > 0) return;
    this.left = PERIOD;
    this.began = clock.now();
  }

  end(clock: Now): void {
    if (this.began === 0) return;
    this.window.record(clock.now() - this.began);
    this.began = 0;
  }
}
