import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { WINDOW_MS } from '../../src/telemetry/process-monitor.js';
import { OpsBench } from '../support/ops-double.js';
import { PATIENCE_MS } from '../support/patience.js';

interface Performance {
  readonly window_seconds: number;
  readonly event_loop: { readonly delay_ms: Summary; readonly utilization: number };
  readonly gc: {
    readonly pause_ms: Summary;
    readonly since_start: { readonly kind: string; readonly count: number }[];
  };
  readonly memory: Record<string, number>;
  readonly latency_ms: Record<string, Summary>;
}

interface Summary {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

let bench: OpsBench;

beforeEach(async () => {
  bench = new OpsBench();
  await bench.ops.start();
});

afterEach(() => bench.stop());

async function performanceNow(): Promise<Performance> {
  const { status, text } = await bench.ask('/performance');
  expect(status).toBe(200);
  return JSON.parse(text) as Performance;
}

/** The answer once it is as wanted; the platform counts when it comes to it. */
async function until(wanted: (seen: Performance) => boolean): Promise<Performance> {
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end;) {
    const seen = await performanceNow();
    if (wanted(seen)) return seen;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('never came');
}

it('sees an event loop that stood still', async () => {
  await until(({ event_loop }) => event_loop.delay_ms.count > 3);
  const end = performance.now() + 250;
  while (performance.now() < end);
  const { event_loop } = await until((seen) => seen.event_loop.delay_ms.max > 100);
  expect(event_loop.utilization).toBeGreaterThan(0);
  expect(event_loop.utilization).toBeLessThanOrEqual(1);
});

it('counts collections of garbage', async () => {
  const before = await performanceNow();
  let garbage: unknown[] = [];
  for (let turn = 0; turn < 300; turn++) garbage = Array.from({ length: 10_000 }, () => ({}));
  expect(garbage).toHaveLength(10_000);
  const minor = ({ gc }: Performance) => gc.since_start.find(({ kind }) => kind === 'minor')?.count;
  const after = await until((seen) => (minor(seen) ?? 0) > (minor(before) ?? 0));
  expect(after.gc.pause_ms.count).toBeGreaterThan(before.gc.pause_ms.count);
  expect(after.memory.heap_used).toBeGreaterThan(1_000_000);
  expect(after.memory.heap_limit).toBeGreaterThan(after.memory.heap_used ?? Infinity);
});

it('tells percentiles per stage, of two windows', async () => {
  for (let ms = 1; ms <= 100; ms++) bench.metrics.session.answered(ms);
  bench.metrics.upstream.latency.record(7);
  const { latency_ms } = await performanceNow();
  expect(latency_ms.request?.count).toBe(100);
  expect(Math.round(latency_ms.request?.p99 ?? 0)).toBe(99);
  expect(Math.round(latency_ms.upstream?.p50 ?? 0)).toBe(7);
  bench.clock.advance(WINDOW_MS);
  expect(await performanceNow()).toMatchObject({
    window_seconds: 10,
    latency_ms: { request: { count: 100 }, upstream: { count: 1 } },
  });
  bench.clock.advance(WINDOW_MS);
  expect(await performanceNow()).toMatchObject({
    window_seconds: 10,
    latency_ms: { request: { count: 0 }, upstream: { count: 0 } },
  });
});
