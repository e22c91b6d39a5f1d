import type { LatencySummary, LatencyWindow } from '../telemetry/latency-window.js';
import type { ProcessMonitor } from '../telemetry/process-monitor.js';
import { seconds } from './health-body.js';

/** Stages of a request by name, each with its durations. */
export type Stages = Readonly<
  Record<'decode' | 'upstream' | 'encode' | 'flush' | 'request', LatencyWindow>
>;

/** GET /performance; durations in ms, memory in bytes, CPU in cores. */
export function performanceBody(monitor: ProcessMonitor, stages: Stages, now: number) {
  const { eventLoop, gc } = monitor;
  const { user, system } = monitor.cpu();
  const memory = monitor.memory();
  return {
    window_seconds: round(monitor.covered() / 1000),
    event_loop: {
      delay_ms: summaryBody(eventLoop.delay()),
      utilization: round(eventLoop.utilization()),
    },
    gc: {
      pause_ms: summaryBody(gc.pauses.read()),
      since_start: gc.totals().map(({ kind, count, totalMs }) => ({
        kind,
        count,
        total_ms: round(totalMs),
      })),
    },
    memory: {
      rss: memory.rss,
      heap_total: memory.heapTotal,
      heap_used: memory.heapUsed,
      heap_limit: memory.heapLimit,
      external: memory.external,
      array_buffers: memory.arrayBuffers,
    },
    cpu: { user: round(user), system: round(system) },
    latency_ms: Object.fromEntries(
      Object.entries(stages).map(([name, window]) => [name, summaryBody(window.read())]),
    ),
    timestamp: seconds(now),
  };
}

function summaryBody({ count, mean, p50, p90, p99, max }: LatencySummary) {
  return {
    count,
    mean: round(mean),
    p50: round(p50),
    p90: round(p90),
    p99: round(p99),
    max: round(max),
  };
}

/** Three decimals: microseconds, or thousandths of a core. */
function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
