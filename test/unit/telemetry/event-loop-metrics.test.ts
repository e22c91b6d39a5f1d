import { describe, expect, it } from '@jest/globals';
import { Registry, collectDefaultMetrics } from 'prom-client';
import { EventLoopMetrics } from '../../../src/telemetry/event-loop-metrics.js';

const lag = { count: 300, min: 0, max: 250, mean: 4, stddev: 9, p50: 1, p90: 12, p99: 125 };

async function exported(registry: Registry): Promise<Record<string, number>> {
  const lines = (await registry.metrics()).split('\n');
  const samples = lines.filter((line) => line.startsWith('nodejs_eventloop_lag_'));
  return Object.fromEntries(
    samples.map((line) => line.split(' ')).map(([name, value]) => [name, Number(value)]),
  );
}

describe('EventLoopMetrics', () => {
  it('exports what was measured, in seconds, by the names of prom-client', async () => {
    const registry = new Registry();
    new EventLoopMetrics(registry).observe({ lag: () => lag });

    expect(await exported(registry)).toEqual({
      nodejs_eventloop_lag_min_seconds: 0,
      nodejs_eventloop_lag_max_seconds: 0.25,
      nodejs_eventloop_lag_mean_seconds: 0.004,
      nodejs_eventloop_lag_stddev_seconds: 0.009,
      nodejs_eventloop_lag_p50_seconds: 0.001,
      nodejs_eventloop_lag_p90_seconds: 0.012,
      nodejs_eventloop_lag_p99_seconds: 0.125,
    });
  });

  it("takes the place of prom-client's own", async () => {
    const registry = new Registry();
    collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 86_400_000 });
    const names = Object.keys(await exported(registry));
    new EventLoopMetrics(registry).observe({ lag: () => lag });

    const replaced = await exported(registry);
    expect(Object.keys(replaced).sort()).toEqual(names.sort());
    expect(replaced).toMatchObject({ nodejs_eventloop_lag_p99_seconds: 0.125 });
  });
});
