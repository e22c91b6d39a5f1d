import { afterAll, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { BenchResult } from '../../src/bench/report/bench-result.js';
import type { Row } from '../../src/bench/report/row.js';

const folder = mkdtempSync(join(tmpdir(), 'gatesvr-modes-'));
const run = promisify(execFile);

afterAll(() => rmSync(folder, { recursive: true }));

/** A mode with small counts, as `make bench` runs it; its rows as they were written. */
async function bench(mode: string, ...options: string[]): Promise<readonly Row[]> {
  const out = join(folder, `${mode}.json`);
  await run(process.execPath, ['dist/bench/load/main.js', mode, ...options, '--out', out]);
  const result = JSON.parse(readFileSync(out, 'utf8')) as BenchResult;
  expect(result.mode).toBe(mode);
  return result.rounds;
}

test('hostile: good sessions answer beside every kind of hostile connection', async () => {
  const sizes = ['--sessions', '10', '--hostile', '60', '--rate', '100', '--hold', '1'];
  const [row] = await bench('hostile', ...sizes);
  expect(row).toMatchObject({ requests: 200, dropped: 0 });
  expect(row?.['hostileOpened']).toBeGreaterThanOrEqual(60);
  expect(row?.['hostileEnded']).toBeGreaterThan(0);
  expect(row?.['p99Ratio']).toBeGreaterThan(0);
});

test('soak: requests and pushes through loss and rebinding, nothing twice', async () => {
  const [row] = await bench('soak', '--sessions', '10', '--minutes', '0.05', '--rate', '100');
  expect(row).toMatchObject({ requests: 300, pushes: 30, executedTwice: 0 });
  expect(row?.['datagramsLost']).toBeGreaterThan(0);
  expect((row?.['rss'] as readonly number[]).length).toBeGreaterThan(2);
});

test('fanout: three ways to many sessions, and heartbeats during a large broadcast', async () => {
  const sizes = ['--sessions', '20', '--requests', '200', '--audience', '60', '--broadcasts', '3'];
  const rows = await bench('fanout', ...sizes);
  expect(rows.map(({ deliveries }) => deliveries)).toEqual([200, 200, 25, 480]);
  expect(rows[3]?.['heartbeatP99']).toBeGreaterThanOrEqual(0);
});

test('growth, rate and connects: a row per case, every request answered', async () => {
  const [growth, rate, connects] = await Promise.all([
    bench('growth', '--counts', '5', '--requests', '200'),
    bench('rate', '--sessions', '5', '--rates', '100', '--hold', '1', '--rounds', '1'),
    bench('connects', '--requests', '40', '--warmup', '10', '--rounds', '1'),
  ]);
  expect(growth.map(({ requests }) => requests)).toEqual([200]);
  expect(rate).toMatchObject([{ case: '100 requests/s', requests: 100 }]);
  expect(connects).toMatchObject([{ connects: 40 }]);
});

test('failover: the primary is killed, everybody is back in the session it had, nothing is lost', async () => {
  const sizes = ['--sessions', '8', '--rate', '40', '--pushes', '20', '--hold', '0.5'];
  const [row] = await bench('failover', ...sizes, '--cases', 'deployed-fast');
  expect(row).toMatchObject({ contestant: 'deployed-fast', resumed: 8, executedTwice: 0 });
  expect(row?.['lastResumed']).toBeGreaterThanOrEqual(row?.['promoted'] as number);
  expect(row?.['pushes']).toBeGreaterThan(0);
  await expect(bench('failover', '--cases', 'nobody')).rejects.toThrow('--cases knows sdk-default');
}, 120_000);

test('replication: what the standby costs, beside a gateway alone', async () => {
  const sizes = ['--sessions', '4', '--requests', '200', '--warmup', '50', '--hold', '0.5'];
  const rows = await bench('replication', ...sizes, '--rounds', '1', '--cases', 'off,sync');
  expect(rows.map(({ contestant, case: which }) => `${contestant}, ${which}`)).toEqual([
    'off, closed loop, 4 x 8',
    'sync, closed loop, 4 x 8',
    'off, half load',
    'sync, half load',
  ]);
  expect(rows[1]?.['standbyCpuPerRequest']).toBeGreaterThanOrEqual(0);
  expect(rows[3]?.['lagFramesMax']).toBeGreaterThanOrEqual(0);
}, 120_000);

test('transports: the same echo over each way in, then idle sessions of each', async () => {
  const sizes = ['--rounds', '1', '--sessions', '4', '--requests', '200', '--warmup', '50'];
  sizes.push('--idle', '20', '--hold', '0.2');
  const rows = await bench('transports', ...sizes, '--cases', 'webtransport,http3');
  expect(rows).toMatchObject([
    { contestant: 'webtransport', case: '4 sessions x 8', requests: 200 },
    { contestant: 'http3', case: '4 sessions x 8', requests: 200 },
    { contestant: 'webtransport', case: '20 idle sessions' },
    { contestant: 'http3', case: '20 idle sessions' },
  ]);
  await expect(bench('transports', '--cases', 'tcp')).rejects.toThrow('--cases knows quic');
}, 120_000);

test('what was not done has no figure: an unknown mode, a gateway that answers otherwise', async () => {
  await expect(bench('nothing')).rejects.toThrow('modes are echo, rate');
  // Requests above the limit are refused, so the echo was not done.
  const limited = ['--set', 'overload_protection.max_qps=5', '--requests', '200', '--rounds', '1'];
  await expect(bench('echo', ...limited, '--warmup', '10')).rejects.toThrow(
    'the work was not done',
  );
});
