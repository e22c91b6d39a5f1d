import { PerformanceObserver, constants } from 'node:perf_hooks';
import type { PerformanceEntry } from 'node:perf_hooks';
import { LatencyWindow } from './latency-window.js';

const KINDS = new Map<number, GcKind>([
  [constants.NODE_PERFORMANCE_GC_MINOR, 'minor'],
  [constants.NODE_PERFORMANCE_GC_MAJOR, 'major'],
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL, 'incremental'],
  [constants.NODE_PERFORMANCE_GC_WEAKCB, 'weak_callbacks'],
]);

export type GcKind = 'minor' | 'major' | 'incremental' | 'weak_callbacks';

/** Collections since `start`: how many, and how long they held everything up, ms. */
export interface GcCount {
  readonly kind: GcKind;
  readonly count: number;
  readonly totalMs: number;
}

interface GcEntry extends PerformanceEntry {
  readonly detail?: { readonly kind?: number };
}

/** Counts garbage collections by kind and keeps the pauses of the present window and the last. */
export class GcMonitor {
  readonly pauses = new LatencyWindow();
  private readonly counts = new Map<GcKind, { count: number; totalMs: number }>();
  private readonly observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) this.note(entry);
  });

  start(): void {
    this.observer.observe({ entryTypes: ['gc'] });
  }

  stop(): void {
    this.observer.disconnect();
  }

  totals(): GcCount[] {
    return [...KINDS.values()].map((kind) => {
      const { count, totalMs } = this.counts.get(kind) ?? { count: 0, totalMs: 0 };
      return { kind, count, totalMs };
    });
  }

  private note({ duration, detail }: GcEntry): void {
    const kind = KINDS.get(detail?.kind ?? -1);
    if (kind === undefined) return;
    const sum = this.counts.get(kind) ?? { count: 0, totalMs: 0 };
    sum.count++;
    sum.totalMs += duration;
    this.counts.set(kind, sum);
    this.pauses.record(duration);
  }
}
