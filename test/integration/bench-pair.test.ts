import { expect, test } from '@jest/globals';
import { playBenchMode } from '../support/bench-mode.js';

test('failover: the primary is killed, everybody is back in the session it had, nothing is lost', async () => {
  const sizes = ['--sessions', '8', '--rate', '40', '--pushes', '20', '--hold', '0.5'];
  const [row] = await playBenchMode('failover', ...sizes, '--cases', 'deployed-fast');
  expect(row).toMatchObject({ contestant: 'deployed-fast', resumed: 8, executedTwice: 0 });
  expect(row?.['lastResumed']).toBeGreaterThanOrEqual(row?.['promoted'] as number);
  expect(row?.['pushes']).toBeGreaterThan(0);
  await expect(playBenchMode('failover', '--cases', 'nobody')).rejects.toThrow(
    '--cases knows sdk-default',
  );
});

test('replication: what the standby costs, beside a gateway alone', async () => {
  const sizes = ['--sessions', '4', '--requests', '200', '--warmup', '50', '--hold', '0.5'];
  const rows = await playBenchMode('replication', ...sizes, '--rounds', '1', '--cases', 'off,sync');
  expect(rows.map(({ contestant, case: which }) => `${contestant}, ${which}`)).toEqual([
    'off, closed loop, 4 x 8',
    'sync, closed loop, 4 x 8',
    'off, half load',
    'sync, half load',
  ]);
  expect(rows[1]?.['standbyCpuPerRequest']).toBeGreaterThanOrEqual(0);
  expect(rows[3]?.['lagFramesMax']).toBeGreaterThanOrEqual(0);
});
