import { describe, expect, it } from '@jest/globals';
import { createLogger, silentLogger } from '../../../src/telemetry/log.js';

/** The lines that a logger of this level writes. */
function linesOf(level: 'info' | 'warn', use: (log: ReturnType<typeof createLogger>) => void) {
  const lines: Record<string, unknown>[] = [];
  const write = (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>);
  use(createLogger({ level, format: 'json' }, { write }));
  return lines;
}

describe('createLogger', () => {
  it('writes one JSON object per line, with an ISO time and the part', () => {
    const lines = linesOf('info', (log) => {
      log.child({ part: 'quic' }).info({ port: 8453 }, 'listening');
      log.debug('not at this level');
    });
    expect(lines).toEqual([
      {
        level: 30,
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
        part: 'quic',
        port: 8453,
        msg: 'listening',
      },
    ]);
  });

  it('keeps to its level', () => {
    expect(linesOf('warn', (log) => log.info('no'))).toEqual([]);
    expect(linesOf('warn', (log) => log.warn('yes'))).toHaveLength(1);
  });
});

it('for people shows nothing that could move the cursor or turn the text of a terminal', () => {
  let text = '';
  const log = createLogger(
    { level: 'info', format: 'pretty' },
    { write: (line) => (text += line) },
  );
  log.info({ openid: 'a\u009b2J\u0085\u202eb\u2028c' }, 'token refused');
  expect(text).toContain('a\\u009b2J\\u0085\\u202eb\\u2028c');
  expect(text.trimEnd()).toMatch(/^[ -~]+$/);
});

describe('silentLogger', () => {
  it('has nothing enabled', () => {
    expect(silentLogger().isLevelEnabled('fatal')).toBe(false);
  });
});
