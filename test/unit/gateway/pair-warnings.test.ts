import { describe, expect, it } from '@jest/globals';
import { pairWarnings } from '../../../src/gateway/pair-warnings.js';
import type { BackupStats } from '../../../src/replication/backup-stats.js';

/** What a backup is warned of whose peer says that it is of this mode. */
function warned(syncMode: string, peerTimeout = 6_000): string[] {
  const stats = { role: 'backup', peer: { sync_mode: syncMode } } as unknown as BackupStats;
  const backup = {
    sync: { mode: 'sync', onTimeout: 'refuse' },
    heartbeat: { timeout: 6_000 },
  } as Parameters<typeof pairWarnings>[2];
  return pairWarnings(
    stats,
    { proven: true, streamLostFor: null, peerTimeout, strandedBy: null },
    backup,
  );
}

describe('a pair whose gateways are configured differently', () => {
  it('is warned of other modes of what is not confirmed', () => {
    expect(warned('degrade')).toEqual([
      expect.stringContaining('this one refuse, the peer degrade'),
    ]);
    expect(warned('async')).toHaveLength(1);
  });

  it('is warned of another timeout', () => {
    expect(warned('refuse', 2_000)).toEqual([
      expect.stringContaining('this one 6000 ms, the peer 2000 ms'),
    ]);
  });

  it('is not of the same ones, nor where the peer is of a version that does not say', () => {
    expect([warned('refuse'), warned('', 0)]).toEqual([[], []]);
  });
});
