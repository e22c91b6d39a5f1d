import { describe, expect, it } from '@jest/globals';
import { Histogram, Registry } from 'prom-client';
import { exportDurations } from '../../../src/telemetry/duration-tally.js';
import { Metrics } from '../../../src/telemetry/metrics.js';
import { SampledStage } from '../../../src/telemetry/sampled-stage.js';

const BOUNDS = [0.01, 0.1, 1];

describe('durations', () => {
  it('are exported as prom-client exports its own histograms', async () => {
    const theirs = new Registry();
    const histogram = new Histogram({
      name: 'd',
      help: 'Durations',
      labelNames: ['type'],
      buckets: BOUNDS,
      registers: [theirs],
    });
    const ours = new Registry();
    const tally = exportDurations(ours, BOUNDS, [
      { name: 'd', help: 'Durations', labels: { type: 'x' } },
    ]);
    for (const seconds of [0.001, 0.01, 0.02, 0.5, 1, 1.5, 60]) {
      histogram.observe({ type: 'x' }, seconds);
      tally.observe(seconds);
    }
    expect(await ours.metrics()).toBe(await theirs.metrics());
    expect(ours.getSingleMetric('d')).toBeDefined();
  });

  it('of requests are told under both names that dashboards use', async () => {
    const metrics = new Metrics();
    metrics.session.answered(3);
    const text = await metrics.registry.metrics();
    expect(text).toMatch(/^gatesvr_request_duration_count 1$/m);
    expect(text).toMatch(/^gatesvr_request_duration_seconds_count\{request_type="business"\} 1$/m);
    expect(text).toMatch(/^gatesvr_request_duration_bucket\{le="0.005"\} 1$/m);
  });
});

describe('a sampled stage', () => {
  it('times one run in 31, and none that did not end', () => {
    const stage = new SampledStage();
    let now = 1;
    const clock = { now: () => (now += 2) };
    for (let run = 0; run < 310; run++) {
      stage.begin(clock);
      stage.end(clock);
    }
    const { count, max } = stage.window.read();
    expect([count, Math.round(max)]).toEqual([10, 2]);
    stage.begin(clock);
    stage.begin(clock);
    stage.end(clock);
    expect(stage.window.read().count).toBe(10);
  });
});
