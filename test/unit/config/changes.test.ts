import { expect, it } from '@jest/globals';
import { keysAwaitingRestart } from '../../../src/config/changes.js';
import { loadConfig } from '../../../src/config/load.js';

it('names the keys that differ as they are written in YAML, but for those that are reloaded', () => {
  const base = { 'server.quic_addr': '127.0.0.1:0' };
  const load = (flags: Record<string, string>) => loadConfig({ env: {}, flags }).config;
  const before = load(base);
  expect(keysAwaitingRestart(before, load(base))).toEqual([]);
  const after = load({
    ...base,
    'log.level': 'debug',
    'session.outbox_max_bytes': '8MiB',
    'websocket.origins': 'https://example.org',
  });
  expect(keysAwaitingRestart(before, after).sort()).toEqual([
    'session.outbox_max_bytes',
    'websocket.origins',
    'webtransport.origins',
  ]);
});
