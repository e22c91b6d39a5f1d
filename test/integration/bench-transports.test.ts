import { expect, test } from '@jest/globals';
import { playBenchMode } from '../support/bench-mode.js';

test('transports: the same echo over each way in, then idle sessions of each', async () => {
  const sizes = ['--rounds', '1', '--sessions', '4', '--requests', '200', '--warmup', '50'];
  sizes.push('--idle', '20', '--hold', '0.2');
  const rows = await playBenchMode('transports', ...sizes, '--cases', 'webtransport,http3');
  expect(rows).toMatchObject([
    { contestant: 'webtransport', case: '4 sessions x 8', requests: 200 },
    { contestant: 'http3', case: '4 sessions x 8', requests: 200 },
    { contestant: 'webtransport', case: '20 idle sessions' },
    { contestant: 'http3', case: '20 idle sessions' },
  ]);
  await expect(playBenchMode('transports', '--cases', 'tcp')).rejects.toThrow('--cases knows quic');
});
