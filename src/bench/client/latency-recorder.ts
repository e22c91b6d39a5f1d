import { build } from 'hdr-histogram-js';

/** Microseconds: everything above ten minutes is one value. */
const HIGHEST_US = 600_000_000;
/** Values are exact to 0.1 %. */
const FIGURES = 3;

/** Milliseconds, except `count`; all 0 where nothing was recorded. */
export interface LatencyFigures {
  readonly count: number;
  readonly min: number;
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p99_9: number;
  readonly max: number;
}

/** Durations in an HdrHistogram: a fixed amount of memory, percentiles over all that was recorded. */
export class LatencyRecorder {
  private readonly histogram = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: HIGHEST_US,
    numberOfSignificantValueDigits: FIGURES,
  });

  /** @param ms below a microsecond counts as one. */
  record(ms: number): void {
    this.histogram.recordValue(Math.min(HIGHEST_US, Math.max(1, Math.round(ms * 1000))));
  }

  get count(): number {
    return this.histogram.totalCount;
  }

  /** Milliseconds. The histogram rounds up, but never above what was recorded. */
  percentile(share: number): number {
    const { histogram } = this;
    return Math.min(histogram.getValueAtPercentile(share), histogram.maxValue) / 1000;
  }

  figures(): LatencyFigures {
    const { histogram, count } = this;
    if (count === 0) {
      return { count, min: 0, mean: 0, p50: 0, p90: 0, p99: 0, p99_9: 0, max: 0 };
    }
    return {
      count,
      min: histogram.minNonZeroValue / 1000,
      mean: Math.round(histogram.mean) / 1000,
      p50: this.percentile(50),
      p90: this.percentile(90),
      p99: this.percentile(99),
      p99_9: this.percentile(99.9),
      max: histogram.maxValue / 1000,
    };
  }

  reset(): void {
    this.histogram.reset();
  }
}
