import { expect, test } from '@jest/globals';
import { playBenchMode } from '../support/bench-mode.js';

test('hostile: good sessions answer beside every kind of hostile connection', async () => {
  const sizes = ['--sessions', '10', '--hostile', '60', '--rate', '100', '--hold', '1'];
  const [row] = await playBenchMode('hostile', ...sizes);
  expect(row).toMatchObject({ requests: 300, dropped: 0 });
  expect(row?.['hostileOpened']).toBeGreaterThanOrEqual(60);
  expect(row?.['hostileEnded']).toBeGreaterThan(0);
  expect(row?.['p99Ratio']).toBeGreaterThan(0);
});

test('soak: requests and pushes through loss and rebinding, nothing twice', async () => {
  const [row] = await playBenchMode(
    'soak',
    '--sessions',
    '10',
    '--minutes',
    '0.05',
    '--rate',
    '100',
  );
  expect(row).toMatchObject({ requests: 300, pushes: 30, executedTwice: 0 });
  expect(row?.['datagramsLost']).toBeGreaterThan(0);
  expect((row?.['rss'] as readonly number[]).length).toBeGreaterThan(2);
});
