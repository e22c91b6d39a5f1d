import { expect, test } from '@jest/globals';
import { LatencyWindow } from '../../../src/telemetry/latency-window.js';

test('percentiles are those of what was recorded, to 1 %', () => {
  const window = new LatencyWindow();
  for (let ms = 1; ms <= 1_000; ms++) window.record(ms);
  const { count, mean, p50, p90, p99, max } = window.read();
  expect(count).toBe(1_000);
  for (const [got, right] of [
    [mean, 500.5],
    [p50, 500],
    [p90, 900],
    [p99, 990],
    [max, 1_000],
  ] as const) {
    expect(Math.abs(got - right) / right).toBeLessThan(0.01);
  }
});

test('two windows count, older ones do not', () => {
  const window = new LatencyWindow();
  window.record(100);
  window.rotate();
  window.record(1);
  expect(window.read().count).toBe(2);
  window.rotate();
  const { count, max } = window.read();
  expect([count, Math.round(max)]).toEqual([1, 1]);
  window.rotate();
  expect(window.read()).toEqual({ count: 0, mean: 0, p50: 0, p90: 0, p99: 0, max: 0 });
});

test('what is out of range is counted at its border', () => {
  const window = new LatencyWindow();
  for (const ms of [0, -5, 1e-9, 1e12]) window.record(ms);
  const { count, p50, max } = window.read();
  expect([count, p50]).toEqual([4, 0.001]);
  expect(max).toBeGreaterThan(590_000);
});

test('a tap has what came since it was emptied, and nothing once it is closed', () => {
  const window = new LatencyWindow();
  window.record(100);
  const tap = window.openTap();
  window.record(5);
  const { count, p50 } = tap.take();
  expect([count, Math.round(p50)]).toEqual([1, 5]);
  expect(tap.take().count).toBe(0);
  window.closeTap();
  window.record(5);
  expect(tap.take().count).toBe(0);
  expect(window.read().count).toBe(3);
});
