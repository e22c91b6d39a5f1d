import { createHistogram } from 'node:perf_hooks';
import type { Histogram, RecordableHistogram } from 'node:perf_hooks';

/** Microseconds: a tenth of the fastest stage to more than the longest timeout. */
const LOWEST_US = 1;
const HIGHEST_US = 600_000_000;
/** Percentiles are exact to 1 %. */
const FIGURES = 2;

/** Milliseconds, except `count`; all 0 where nothing was recorded. */
export interface LatencySummary {
  readonly count: number;
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

/**
 * Durations of the present window and the one before it. Recording costs about 30 ns and no memory;
 * whoever reads pays for the percentiles.
 */
export class LatencyWindow {
  private present = histogram();
  private before = histogram();
  private tap: LatencyTap | null = null;

  /** @param ms a duration; below a microsecond counts as one. */
  record(ms: number): void {
    const us = Math.min(HIGHEST_US, Math.max(LOWEST_US, Math.round(ms * 1000)));
    this.present.record(us);
    if (this.tap !== null) this.tap.recorded.record(us);
  }

  /** Whoever follows second by second opens one and closes it; a second one replaces the first. */
  openTap(): LatencyTap {
    return (this.tap = new LatencyTap());
  }

  /** From now on recording costs as little as before. Idempotent. */
  closeTap(): void {
    this.tap = null;
  }

  /** Begins a new window and forgets the one before the last. */
  rotate(): void {
    const oldest = this.before;
    this.before = this.present;
    this.present = oldest;
    oldest.reset();
  }

  read(): LatencySummary {
    const merged = histogram();
    merged.add(this.before);
    merged.add(this.present);
    return summarise(merged, 1 / 1000);
  }
}

/** Durations since it was last emptied, for percentiles of shorter times than a window. */
export class LatencyTap {
  readonly recorded = histogram();

  /** Tells what was recorded, and begins anew. */
  take(): LatencySummary {
    const summary = summarise(this.recorded, 1 / 1000);
    this.recorded.reset();
    return summary;
  }
}

/** @param scale of a recorded unit in ms. @param offset ms that every value has too much. */
export function summarise(recorded: Histogram, scale: number, offset = 0): LatencySummary {
  const { count } = recorded;
  if (count === 0) return { count, mean: 0, p50: 0, p90: 0, p99: 0, max: 0 };
  const ms = (value: number) => Math.max(0, value * scale - offset);
  return {
    count,
    mean: ms(recorded.mean),
    p50: ms(recorded.percentile(50)),
    p90: ms(recorded.percentile(90)),
    p99: ms(recorded.percentile(99)),
    max: ms(recorded.max),
  };
}

function histogram(): RecordableHistogram {
  return createHistogram({ lowest: LOWEST_US, highest: HIGHEST_US, figures: FIGURES });
}
