import { getHeapStatistics } from 'node:v8';
import type { Cancel, Clock } from '../base/clock.js';
import { EventLoopMonitor } from './event-loop-monitor.js';
import { GcMonitor } from './gc-monitor.js';
import type { LatencyWindow } from './latency-window.js';

/** Length of a window, ms; what is read covers the present one and the one before it. */
export const WINDOW_MS = 10_000;

/** Where CPU time and clock stood when a window began. */
interface Mark {
  readonly at: number;
  readonly cpu: NodeJS.CpuUsage;
}

/** What this process costs and where it waits, over the last 10 to 20 seconds. */
export class ProcessMonitor {
  readonly eventLoop = new EventLoopMonitor();
  readonly gc = new GcMonitor();
  private since: Mark;
  private next: Mark;
  private cancel: Cancel | null = null;

  /** @param windows of others that turn with its own. */
  constructor(
    private readonly clock: Clock,
    private readonly windows: readonly LatencyWindow[] = [],
  ) {
    this.since = this.next = this.mark();
  }

  /** Idempotent. */
  start(): void {
    if (this.cancel !== null) return;
    this.since = this.next = this.mark();
    this.eventLoop.start();
    this.gc.start();
    this.cancel = this.clock.every(WINDOW_MS, () => this.rotate());
  }

  /** Idempotent. */
  stop(): void {
    this.cancel?.();
    this.cancel = null;
    this.eventLoop.stop();
    this.gc.stop();
  }

  /** What the figures of windows cover, ms. */
  covered(): number {
    return this.clock.now() - this.since.at;
  }

  /** Cores in use on average: user and system time of all threads over elapsed time. */
  cpu(): { user: number; system: number } {
    const used = process.cpuUsage(this.since.cpu);
    const elapsed = Math.max(1, this.covered()) * 1000;
    return { user: used.user / elapsed, system: used.system / elapsed };
  }

  /** Bytes. */
  memory() {
    const { rss, heapTotal, heapUsed, external, arrayBuffers } = process.memoryUsage();
    const { heap_size_limit: heapLimit } = getHeapStatistics();
    return { rss, heapTotal, heapUsed, heapLimit, external, arrayBuffers };
  }

  private rotate(): void {
    this.since = this.next;
    this.next = this.mark();
    this.eventLoop.rotate();
    this.gc.pauses.rotate();
    for (const window of this.windows) window.rotate();
  }

  private mark(): Mark {
    return { at: this.clock.now(), cpu: process.cpuUsage() };
  }
}
