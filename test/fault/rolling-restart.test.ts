import { expect, test } from '@jest/globals';
import { runRestarts } from '../../src/bench/load/restart-load.js';

/** For larger runs: RESTART_CLIENTS=500 RESTARTS=5 npx jest test/fault/rolling-restart. */
const CLIENTS = Number(process.env['RESTART_CLIENTS'] ?? 8);
const RESTARTS = Number(process.env['RESTARTS'] ?? 2);

test('restarts under load lose no push, execute no request twice, and every request is answered', async () => {
  const figures = await runRestarts({
    clients: CLIENTS,
    restarts: RESTARTS,
    hold: 500,
  });
  expect(figures['returns']).toBeGreaterThanOrEqual(CLIENTS * RESTARTS);
  expect(figures['requests']).toBeGreaterThan(CLIENTS);
  expect(figures['pushes']).toBeGreaterThan(CLIENTS);
  process.stdout.write(`rolling restart: ${JSON.stringify(figures)}\n`);
});
