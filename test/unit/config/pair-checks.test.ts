import { expect, test } from '@jest/globals';
import { loadConfig } from '../../../src/config/load.js';

test.each([
  ['step_down', 'true', 1],
  ['step_down', 'false', 0],
  ['continue', 'true', 0],
])(
  'on_peer_loss %s with promote_stale %s: %d warnings that two may serve',
  (loss, stale, count) => {
    const flags = {
      'backup.enabled': 'true',
      'backup.server_id': 'a',
      'backup.heartbeat.peer_addr': '10.0.0.2:8093',
      'backup.sync.peer_addr': '10.0.0.2:8094',
      'backup.on_peer_loss': loss,
      'backup.promote_stale': stale,
    };
    const { warnings } = loadConfig({ env: {}, flags });
    expect(warnings.filter((line) => line.includes('promote_stale'))).toHaveLength(count);
  },
);
