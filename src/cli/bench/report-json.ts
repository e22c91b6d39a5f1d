import type { BenchReport } from '../../bench/client/bench-run.js';
import type { Fault } from '../../bench/client/fault-book.js';
import type { LatencyFigures } from '../../bench/client/latency-recorder.js';
import type { BenchPlan } from '../../bench/client/bench-plan.js';
import { VERSION } from '../../config/version.js';

/** Figures of a bench as `--json` prints them; latencies in ms, times in seconds. */
export function reportJson(report: BenchReport): object {
  const { plan, connects, client } = report;
  return {
    ...planJson(plan),
    done: report.done,
    elapsed_s: round(report.elapsed / 1000),
    per_second: round(report.perSecond),
    latency_ms: latencyJson(report.latency),
    service_ms: report.service === null ? null : latencyJson(report.service),
    acceptance_ms: report.acceptance === null ? null : latencyJson(report.acceptance),
    deliveries: report.deliveries,
    deliveries_per_second:
      report.deliveries === null ? null : round((report.deliveries * 1000) / report.elapsed),
    connects:
      connects === null
        ? null
        : { per_second: round(connects.perSecond), latency_ms: latencyJson(connects.latency) },
    client: { cpu_cores: round(client.cpu), busy: round(client.busy) },
    verified: report.verified,
    warnings: report.warnings,
  };
}

/** What was wrong, in place of figures. */
export function failureJson(plan: BenchPlan, faults: readonly Fault[]): object {
  return { ...planJson(plan), failed: true, faults };
}

function planJson({ mode, target, openids, arrival, inFlight, bytes, warmup }: BenchPlan): object {
  return {
    mode,
    version: VERSION,
    addr: `${target.host}:${target.port}`,
    sessions: openids.length,
    loop: arrival.kind,
    target_rate: arrival.kind === 'open' ? arrival.rate : null,
    in_flight: inFlight,
    size_bytes: bytes,
    warmup_s: warmup / 1000,
  };
}

export function latencyJson(figures: LatencyFigures): object {
  return Object.fromEntries(Object.entries(figures).map(([key, value]) => [key, round(value)]));
}

/** Three decimals: microseconds, or thousandths. */
function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
