import { expect, test } from '@jest/globals';
import { loadConfig } from '../../../src/config/load.js';
import { Logging } from '../../../src/gateway/logging.js';

const logging = (level: string) => loadConfig({ env: {}, flags: { 'log.level': level } }).config;

test('a reload takes over a changed log.level, and leaves alone what an operator set', () => {
  const { level, reload } = bound(new Logging(logging('error')));
  level.set('debug');
  reload(logging('error'));
  expect(level.current).toBe('debug');
  reload(logging('warn'));
  expect(level.current).toBe('warn');
  level.set('trace');
  reload(logging('warn'));
  expect(level.current).toBe('trace');
  reload(logging('error'));
  expect(level.current).toBe('error');
});

function bound(subject: Logging) {
  return { level: subject.level, reload: subject.reload.bind(subject) };
}
