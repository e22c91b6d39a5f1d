import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { renderMetrics } from '../../../src/telemetry/metrics-reference.js';
import { everyMetric } from '../../support/every-metric.js';

test('docs/METRICS.md has every metric (npm run docs writes it anew)', async () => {
  const page = readFileSync('docs/METRICS.md', 'utf8');
  expect(page).toBe(await renderMetrics());
  for (const { name } of everyMetric().registry.getMetricsAsArray()) {
    expect(page).toContain(`| \`${name}\` |`);
  }
});
