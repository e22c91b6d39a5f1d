import { describe, expect, it } from '@jest/globals';
import { Registry } from 'prom-client';
import {
  LabelledTally,
  exportGauge,
  exportLabelledTally,
  exportTally,
} from '../../../src/telemetry/tally.js';
import { Metrics } from '../../../src/telemetry/metrics.js';

describe('tallies', () => {
  it('are handed over as totals each time Prometheus asks', async () => {
    const registry = new Registry();
    const tally = exportTally(registry, 'frames_total', 'Frames');
    tally.add();
    tally.add(2);
    expect(await registry.metrics()).toMatch(/^frames_total 3$/m);
    tally.add();
    expect(await registry.metrics()).toMatch(/^frames_total 4$/m);
    expect(await registry.metrics()).toMatch(/^# TYPE frames_total counter$/m);
  });

  it('keep one total per label value, known ones from the start', async () => {
    const registry = new Registry();
    const tallies = exportLabelledTally(registry, 'bytes_total', 'Bytes', 'direction', ['in']);
    tallies.add('out', 5);
    const kept = tallies.of('out');
    kept.add();
    expect(tallies.of('out')).toBe(kept);
    const text = await registry.metrics();
    expect(text).toMatch(/^bytes_total\{direction="in"\} 0$/m);
    expect(text).toMatch(/^bytes_total\{direction="out"\} 6$/m);
    expect([...new LabelledTally(['a']).entries()].map(([label]) => label)).toEqual(['a']);
  });

  it('let a gauge be read only when it is asked for', async () => {
    const registry = new Registry();
    let reads = 0;
    exportGauge(registry, 'sessions', 'Sessions', () => ++reads);
    expect(reads).toBe(0);
    expect(await registry.metrics()).toMatch(/^sessions 1$/m);
    expect(reads).toBe(1);
  });
});

describe('Metrics', () => {
  it('export the names that dashboards use (WIRE.md)', async () => {
    const metrics = new Metrics();
    const zero = () => 0;
    metrics.session.observe({
      activeCount: zero,
      detachedCount: zero,
      queuedFrames: zero,
      queuedBytes: zero,
      maxQueuedBytes: () => 0,
      inFlight: zero,
      currentQps: zero,
    });
    const text = await metrics.registry.metrics();
    for (const name of [
      'gatesvr_active_connections',
      'gatesvr_total_requests',
      'gatesvr_request_duration',
      'gatesvr_upstream_requests',
      'gatesvr_message_queue_size',
      'gatesvr_qps_total',
      'gatesvr_throughput_bytes_total',
      'gatesvr_request_duration_seconds',
      'gatesvr_errors_total',
      'gatesvr_connections_rejected_total',
      'gatesvr_requests_rejected_total',
      'gatesvr_current_qps',
      'gatesvr_upstream_rejected_total',
    ]) {
      expect(text).toMatch(new RegExp(`^# TYPE ${name} `, 'm'));
    }
  });

  it('of two gateways in one process do not mix', async () => {
    const [one, other] = [new Metrics(), new Metrics(true)];
    one.session.totalRequests.add(3);
    expect(await one.registry.metrics()).toMatch(/^gatesvr_total_requests 3$/m);
    const text = await other.registry.metrics();
    expect(text).toMatch(/^gatesvr_total_requests 0$/m);
    expect(text).toMatch(/^process_cpu_seconds_total /m);
  });
});
