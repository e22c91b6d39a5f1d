import { expect, test } from '@jest/globals';
import { LogLevel } from '../../../src/telemetry/log-level.js';
import { createLogger } from '../../../src/telemetry/log.js';

test('a level set at run time holds for every part, also for those made later', () => {
  const lines: string[] = [];
  const write = (line: string) => void lines.push((JSON.parse(line) as { msg: string }).msg);
  const level = new LogLevel('warn');
  const root = createLogger({ level: 'warn', format: 'json', onChild: level.follow }, { write });
  const before = root.child({ part: 'before' });
  before.debug('too early');
  level.set('debug');
  const after = root.child({ part: 'after' });
  root.debug('root');
  before.debug('before');
  after.debug('after');
  after.child({ deeper: 1 }).debug('deeper');
  expect(level.current).toBe('debug');
  level.set('silent');
  for (const log of [root, before, after]) log.fatal('silenced');
  expect(lines).toEqual(['root', 'before', 'after', 'deeper']);
});
