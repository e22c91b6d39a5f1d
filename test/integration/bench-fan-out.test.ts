import { expect, test } from '@jest/globals';
import { playBenchMode } from '../support/bench-mode.js';

test('fanout: six ways to many sessions, and heartbeats during a large broadcast', async () => {
  const sizes = ['--sessions', '20', '--requests', '200', '--audience', '60', '--broadcasts', '3'];
  const rows = await playBenchMode('fanout', ...sizes);
  expect(rows.map(({ deliveries }) => deliveries)).toEqual([200, 400, 400, 200, 25, 25, 480]);
  expect(rows[6]?.['heartbeatP99']).toBeGreaterThanOrEqual(0);
});
