import { Metrics } from '../../src/telemetry/metrics.js';

/** The metrics of a fresh gateway with all its parts, journal and pair too: nothing counted, every gauge at 0. */
export function everyMetric(): Metrics {
  const metrics = new Metrics(true);
  const others: Record<string, unknown> = {
    lag: { frames: 0, bytes: 0, ms: 0 },
    warnings: [],
    certificateTerms: [],
  };
  const source = new Proxy({}, { get: (_, name) => () => others[String(name)] ?? 0 });
  for (const part of Object.values(metrics)) {
    (part as { observe?: (from: object) => void }).observe?.(source);
  }
  return metrics;
}
