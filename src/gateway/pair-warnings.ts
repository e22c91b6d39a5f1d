import type { Config } from '../config/config.js';
import type { BackupStats } from '../replication/backup-stats.js';
import { syncModeOf } from '../replication/confirmation-gate.js';
import { withoutStandby } from '../replication/confirmation-news.js';

/** A stream that was lost for less begins again at once, and is no news, ms. */
const STREAM_LOST_MS = 1_000;

/** What is known of a pair beside its stats. */
export interface PairLinks {
  /** Whether the peer proves itself by a secret or a certificate. */
  readonly proven: boolean;
  /** How long the standby that this primary knows of has had no stream, ms; null while it has. */
  readonly streamLostFor: number | null;
  /** backup.heartbeat.timeout of the peer, ms; 0 where it is not known. */
  readonly peerTimeout: number;
  /** Why the peer does not answer, where neither it nor this gateway is known to serve; else null. */
  readonly strandedBy: string | null;
}

/** Why a gateway of each role waits for a peer that is silent. */
const WAITS = {
  starting: 'this gateway waits for its peer, which may serve',
  backup: 'this backup waits for its primary, and may not take over by itself',
  primary: 'this primary waits for its backup, which may have taken over',
} as const;

/** What an operator should know of a pair, one line each. @param stats null before the start. */
export function pairWarnings(
  stats: BackupStats | null,
  { proven, streamLostFor, peerTimeout, strandedBy }: PairLinks,
  { sync, heartbeat }: Config['backup'],
): string[] {
  const found: string[] = [];
  if (!proven)
    found.push('backup.cluster_secret is not set: the peer is known by its address only');
  const peerMode = stats?.peer?.sync_mode ?? '';
  if (peerMode !== '' && peerMode !== syncModeOf(sync)) {
    found.push(
      `the two gateways keep pushes differently: this one ${syncModeOf(sync)}, the peer ${peerMode} (backup.sync.mode, backup.sync.on_timeout)`,
    );
  }
  if (peerTimeout !== 0 && peerTimeout !== heartbeat.timeout) {
    found.push(
      `the two gateways wait differently long for each other: this one ${heartbeat.timeout} ms, the peer ${peerTimeout} ms (backup.heartbeat.timeout)`,
    );
  }
  if (stats !== null && strandedBy !== null) {
    const reason = strandedBy === '' ? 'it is silent' : strandedBy;
    found.push(
      `${WAITS[stats.role]} (${reason}): start the peer, or if it is gone for good say gatesvr switch --solo`,
    );
    return found;
  }
  if (stats?.role !== 'primary') return found;
  if (!stats.in_sync) found.push(`no backup is in sync${withoutStandby(sync)}`);
  else if (stats.degraded) found.push(`the standby does not confirm${withoutStandby(sync)}`);
  // One that is not heard either is away altogether; that says the line above.
  const heard = stats.peer !== null && stats.peer.last_heard_ms < heartbeat.timeout;
  if (heard && streamLostFor !== null && streamLostFor >= STREAM_LOST_MS) {
    const seconds = Math.round(streamLostFor / 1_000);
    const consequence = stats.in_sync ? ', and would take over without them' : '';
    found.push(
      `no stream to the backup for ${seconds} s: it lacks ${stats.lag_frames} entries${consequence}`,
    );
  }
  return found;
}
