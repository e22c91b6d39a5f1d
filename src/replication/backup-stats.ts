import type { SyncMode } from './confirmation-gate.js';
import type { Replicator } from './replicator.js';

/** What `GET /backup/stats` answers; snake case as the other endpoints have it. */
export interface BackupStats {
  readonly role: 'starting' | 'backup' | 'primary';
  readonly accepting: boolean;
  readonly epoch: number;
  readonly boot_id: number;
  /** As a primary: it needs no lease, for nobody else may promote. */
  readonly solo: boolean;
  /** As a backup: it may take over. As a primary: its standby may. */
  readonly in_sync: boolean;
  readonly degraded: boolean;
  /** A planned switch that was asked for is under way. */
  readonly switching: boolean;
  /** Why the last one did not come about; empty where that is not so. */
  readonly switch_failure: string;
  readonly position: number;
  readonly lag_frames: number;
  readonly lag_bytes: number;
  readonly lag_ms: number;
  readonly peer: {
    readonly server_id: string;
    readonly role: 'starting' | 'backup' | 'primary';
    readonly epoch: number;
    readonly position: number;
    readonly sessions: number;
    readonly healthy: boolean;
    readonly advertise_addr: string;
    readonly last_heard_ms: number;
    /** async, degrade or refuse; empty where its version does not say. */
    readonly sync_mode: SyncMode | '';
  } | null;
}

/** @param now monotonic ms. */
export function backupStats(replicator: Replicator, now: number): BackupStats {
  const { machine, confirmations, lag, peer, plannedSwitch } = replicator;
  const isPrimary = machine.role === 'primary';
  return {
    role: machine.role,
    accepting: machine.accepting,
    epoch: machine.epoch,
    boot_id: machine.boot,
    solo: isPrimary && machine.solo,
    in_sync: machine.paired,
    degraded: isPrimary && confirmations.degraded,
    switching: plannedSwitch.underWay,
    switch_failure: plannedSwitch.failure,
    position: machine.standing.position,
    lag_frames: lag.frames,
    lag_bytes: lag.bytes,
    lag_ms: Math.round(lag.ms),
    peer:
      peer === null
        ? null
        : {
            server_id: peer.word.serverId,
            role: peer.word.role,
            epoch: peer.word.epoch,
            position: peer.word.position,
            sessions: peer.sessions,
            healthy: peer.healthy,
            advertise_addr: peer.advertiseAddr,
            last_heard_ms: Math.round(now - peer.at),
            sync_mode: peer.syncMode,
          },
  };
}

/**
 * Where a client or an upstream of a gateway that does not serve belongs: `server.advertise_addr` of
 * the primary, empty while none is known. Goes into the 421 of a START and the NOT_PRIMARY of a push.
 */
export function primaryAddress(replicator: Replicator): string {
  const { peer } = replicator;
  return peer?.word.role === 'primary' ? peer.advertiseAddr : '';
}
