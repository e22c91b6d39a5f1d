import { describe, expect, it } from '@jest/globals';
import { ConfirmationNews } from '../../../src/replication/confirmation-news.js';
import type { GateOptions } from '../../../src/replication/confirmation-gate.js';
import type { Logger } from '../../../src/telemetry/log.js';

function newsOf(options: Partial<GateOptions> = {}) {
  const lines: string[] = [];
  const at = (level: string) => (first: unknown, second?: string) =>
    void lines.push(`${level} ${second ?? String(first)}`);
  const log = { info: at('info'), warn: at('warn'), error: at('error') } as unknown as Logger;
  const gate: GateOptions = { mode: 'sync', onTimeout: 'degrade', timeout: 200, ...options };
  return { news: new ConfirmationNews(gate, log), lines };
}

describe('what the log is told of confirmations', () => {
  it('one line for each change, and none for what stays', () => {
    const { news, lines } = newsOf();
    news.tell('confirms');
    news.tell('confirms');
    news.tell('silent');
    news.tell('silent');
    news.tell('confirms');
    expect(lines).toEqual([
      'info the standby confirms',
      'error the standby does not confirm: success promises no more than async',
      'info the standby confirms',
    ]);
  });

  it('a primary that is alone misses no confirmations', () => {
    const { news, lines } = newsOf({ onTimeout: 'refuse' });
    news.tell('silent');
    news.tell('confirms');
    news.alone(3, 'the backup has stopped');
    news.tell('silent');
    expect(lines).toEqual([
      'info the standby confirms',
      'warn serving without a backup: pushes and requests are refused',
    ]);
  });

  it('async promises nothing that could be missed', () => {
    const { news, lines } = newsOf({ mode: 'async' });
    news.alone(3, 'the backup has stopped');
    expect(lines).toEqual(['warn serving without a backup']);
  });
});
