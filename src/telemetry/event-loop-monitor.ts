import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import type { EventLoopUtilization } from 'node:perf_hooks';
import { summarise } from './latency-window.js';
import type { LatencySummary } from './latency-window.js';

/**
 * How often the delay is measured, ms. Whatever stands still for a share of the time is met by as many of the
 * measurements; each wakes the process, which an idle one must not be too often.
 */
const RESOLUTION_MS = 50;
const MS_PER_NS = 1e-6;

/** Milliseconds; all 0 where nothing was measured. */
export interface EventLoopLag extends LatencySummary {
  readonly min: number;
  readonly stddev: number;
}

/** How late events were handled and how busy the loop was, over the present window and the last. */
export class EventLoopMonitor {
  /** Two that are emptied in turn, for they cannot be merged: the first has the longer memory. */
  private longer = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  private shorter = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  private since: EventLoopUtilization = performance.eventLoopUtilization();
  private next = this.since;

  start(): void {
    this.longer.enable();
    this.shorter.enable();
  }

  stop(): void {
    this.longer.disable();
    this.shorter.disable();
  }

  rotate(): void {
    const emptied = this.longer;
    emptied.reset();
    this.longer = this.shorter;
    this.shorter = emptied;
    this.since = this.next;
    this.next = performance.eventLoopUtilization();
  }

  /** Share of the time that the loop was not idle, 0 to 1. */
  utilization(): number {
    return performance.eventLoopUtilization(this.since).utilization;
  }

  delay(): LatencySummary {
    // The platform records the time between two ticks, not how late the second was.
    return summarise(this.longer, MS_PER_NS, RESOLUTION_MS);
  }

  lag(): EventLoopLag {
    const summary = this.delay();
    if (summary.count === 0) return { ...summary, min: 0, stddev: 0 };
    const { min, stddev } = this.longer;
    const shortest = Math.max(0, min * MS_PER_NS - RESOLUTION_MS);
    return { ...summary, min: shortest, stddev: stddev * MS_PER_NS };
  }
}
