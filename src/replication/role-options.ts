import type { Role } from './standing.js';

export interface RoleOptions {
  /** Name of this node within the pair (backup.server_id). */
  readonly serverId: string;
  /** The role of a node that never ran (backup.mode). */
  readonly mode: 'primary' | 'backup';
  /** A peer silent for so long is taken for dead, ms. */
  readonly timeout: number;
  /** `tick` is called so often, ms; one that comes later than LATE_TICKS of these came after a pause. */
  readonly tickPeriod: number;
  readonly onPeerLoss: 'continue' | 'step_down';
  readonly promoteStale: boolean;
  /** sync.mode is sync and sync.on_timeout is refuse: nothing unconfirmed leaves. */
  readonly refuses: boolean;
}

/** The journal under this node, as far as roles need it. */
export interface History {
  /** Position of the last entry, own or received. */
  position(): number;
  /** Whether this process began with what the one before had (disk journal, complete state). */
  readonly recovered: boolean;
}

/** What a change of role tells the gateway. */
export interface RoleChange {
  readonly role: Role;
  readonly epoch: number;
  /** As a primary: push numbers must jump (`SessionArchive.restore`) before anything is sent. */
  readonly jump: boolean;
  /** Whether this node has the smaller server_id: whose numbers it jumps to. */
  readonly smaller: boolean;
  /** A promotion, which is an entry of the journal; otherwise the epoch goes on. */
  readonly promoted: boolean;
  readonly planned: boolean;
  /** One line: why. */
  readonly reason: string;
}

export interface RoleListener {
  /**
   * After the new role is on disk. As backup: nothing more may be accepted or sent. A primary may hear that
   * it is one: then its numbers jump, and what it carries begins again as after a restart.
   */
  onRole(change: RoleChange): void;
  /** The backup asks for a planned switch. */
  onTakeOverAsked(): void;
  /** The backup did not take over what was offered: this gateway serves on. */
  onHandOverFailed(): void;
  /** The primary, which had a backup, serves without one from here on. @param reason one line: why. */
  onAlone(reason: string): void;
  /** The backup has said goodbye: whatever it still confirms promises nothing. */
  onDeparted(): void;
}
