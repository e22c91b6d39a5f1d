import { expect, test } from '@jest/globals';
import { playBenchMode } from '../support/bench-mode.js';

test('growth, rate and connects: a row per case, every request answered', async () => {
  const [growth, rate, connects] = await Promise.all([
    playBenchMode('growth', '--counts', '5', '--requests', '200'),
    playBenchMode('rate', '--sessions', '5', '--rates', '100', '--hold', '1', '--rounds', '1'),
    playBenchMode('connects', '--requests', '40', '--warmup', '10', '--rounds', '1'),
  ]);
  expect(growth.map(({ requests }) => requests)).toEqual([200]);
  expect(rate).toMatchObject([{ case: '100 requests/s', requests: 100 }]);
  expect(connects).toMatchObject([{ connects: 40 }]);
});

test('what was not done has no figure: an unknown mode, a gateway that answers otherwise', async () => {
  await expect(playBenchMode('nothing')).rejects.toThrow('modes are echo, rate');
  // Requests above the limit are refused, so the echo was not done.
  const limited = ['--set', 'overload_protection.max_qps=5', '--requests', '200', '--rounds', '1'];
  await expect(playBenchMode('echo', ...limited, '--warmup', '10')).rejects.toThrow(
    'the work was not done',
  );
});
