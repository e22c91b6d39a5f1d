import type { Clock } from '../../base/clock.js';
import type { LatencyTap } from '../../telemetry/latency-window.js';
import type { ProcessMonitor } from '../../telemetry/process-monitor.js';
import { seconds } from '../health-body.js';
import type { OpsSource, SessionQuery, StatsSnapshot } from '../ops-source.js';
import { performanceBody } from '../performance-body.js';
import type { Stages } from '../performance-body.js';
import { overviewBody } from '../stats-body.js';

/** The overview without a single session. */
const NO_SESSIONS: SessionQuery = {
  offset: 0,
  limit: 0,
  after: 0,
  openidPrefix: '',
  zone: '',
};

/** Counters that a rate is made of, and CPU time in us. */
interface Counted {
  readonly at: number;
  readonly cpu: number;
  readonly traffic: StatsSnapshot['traffic'];
}

interface SamplerParts {
  readonly source: OpsSource;
  readonly monitor: ProcessMonitor;
  readonly stages: Stages;
  readonly clock: Clock;
}

/**
 * One line in the charts: rates per second since the sample before, durations in ms of what ended
 * since then, the rest as it is. Null where nothing is known: the first sample has no rates, an idle
 * second no latency, a gateway alone no lag.
 */
export type Point = Readonly<Record<string, number | null>>;

/** Takes the samples of the stream. Between `start` and `stop` it is the only one on these parts. */
export class StatsSampler {
  private before: Counted | null = null;
  private request: LatencyTap | null = null;
  private upstream: LatencyTap | null = null;

  constructor(private readonly parts: SamplerParts) {}

  /** From now on durations are recorded for the samples, too. */
  start(): void {
    const { stages } = this.parts;
    this.before = null;
    this.request = stages.request.openTap();
    this.upstream = stages.upstream.openTap();
  }

  /** Idempotent. */
  stop(): void {
    const { stages } = this.parts;
    for (const window of [stages.request, stages.upstream]) window.closeTap();
    this.request = this.upstream = null;
  }

  sample() {
    const { source, monitor, stages, clock } = this.parts;
    const stats = source.stats(NO_SESSIONS);
    const pair = source.pair();
    const wall = clock.wallTime();
    const performance = performanceBody(monitor, stages, wall);
    const overview = overviewBody(stats, pair);
    const point: Point = {
      at_ms: Math.floor(wall),
      ...this.rates(stats),
      ...percentiles('request', this.request),
      ...percentiles('upstream', this.upstream),
      active_sessions: overview.active_sessions,
      detached_sessions: overview.total_sessions - overview.active_sessions,
      connections: stats.load.connections,
      in_flight: overview.in_flight,
      pending_frames: overview.pending_frames,
      loop_delay: round(stats.load.eventLoopDelay),
      rss: performance.memory.rss,
      heap_used: performance.memory.heap_used,
      lag_frames: pair?.lag_frames ?? null,
      lag_ms: pair?.lag_ms ?? null,
    };
    const { warnings } = source.health();
    const state = source.readiness();
    return { timestamp: seconds(wall), ...state, warnings, ...overview, performance, point };
  }

  private rates({ traffic }: StatsSnapshot): Point {
    const { user, system } = process.cpuUsage();
    const now: Counted = { at: this.parts.clock.now(), cpu: user + system, traffic };
    const before = this.before;
    this.before = now;
    const elapsed = before === null ? 0 : now.at - before.at;
    const rate = (measure: (counted: Counted) => number) =>
      before === null || elapsed <= 0
        ? null
        : round(((measure(now) - measure(before)) * 1000) / elapsed);
    const cpu = rate((counted) => counted.cpu / 1e6);
    return {
      requests: rate((counted) => counted.traffic.requests),
      pushes: rate((counted) => counted.traffic.pushesAccepted),
      frames: rate((counted) => counted.traffic.frames),
      bytes_in: rate((counted) => counted.traffic.bytesIn),
      bytes_out: rate((counted) => counted.traffic.bytesOut),
      cpu,
    };
  }
}

function percentiles(stage: string, tap: LatencyTap | null): Point {
  const { count, p50, p90, p99 } = tap?.take() ?? { count: 0, p50: 0, p90: 0, p99: 0 };
  const known = (value: number) => (count === 0 ? null : round(value));
  return {
    [`${stage}_p50`]: known(p50),
    [`${stage}_p90`]: known(p90),
    [`${stage}_p99`]: known(p99),
  };
}

/** Three decimals: microseconds, or thousandths. */
function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
