/** STARTING has asked its peer and does not know its place yet (docs/models/failover.pml). */
export type Role = 'starting' | 'backup' | 'primary';

/** What a node says of itself, in heartbeats, questions, answers and stream openings. */
export interface Standing {
  readonly serverId: string;
  readonly role: Role;
  /** Its disk says primary: it was one when it last ran, or is. */
  readonly wasPrimary: boolean;
  /** Epoch and position of its last journal entry. */
  readonly epoch: number;
  readonly position: number;
  /** Counts up, one per process start. */
  readonly boot: number;
  /** This process goes on with the history of the one before: it came from the disk journal or the peer. */
  readonly recovered: boolean;
  /** As a backup: its primary told it that it is in sync, so it may promote. */
  readonly inSync: boolean;
}

/** A Standing on its way, with what the primary adds. */
export interface Word extends Standing {
  /** Counts up over the words of one process; those that arrive out of order are dropped. */
  readonly sequence: number;
  /** Boot id of the backup that the sender declares in sync, 0 for none. */
  readonly inSyncBoot: number;
  /** In a heartbeat: the sender has fallen silent, take over. In an answer: the heartbeat said so. */
  readonly handingOver: boolean;
  /** A backup asks its primary to hand over. */
  readonly takeOver: boolean;
  /** The sender stops: this process will neither serve nor take over any more. */
  readonly leaving: boolean;
  /** What its backup has not confirmed never leaves it (`on_timeout: refuse`). */
  readonly refuses: boolean;
  /** After so many ms of silence the sender takes its peer for dead; 0 where its version does not say. */
  readonly timeout: number;
}

/** How far a history has come. */
export type HistoryEnd = Pick<Standing, 'epoch' | 'position'>;

/** Whether the peer's history is strictly ahead: the higher (epoch, position). */
export function isAhead(peer: HistoryEnd, own: HistoryEnd): boolean {
  return peer.epoch > own.epoch || (peer.epoch === own.epoch && peer.position > own.position);
}

/** Two that were both configured as primary and met only now: whether this one stands down. */
export function yieldsTie(peer: Standing, own: Standing, smaller: boolean): boolean {
  return peer.role === 'primary' && !isAhead(own, peer) && smaller;
}

/**
 * Whether the peer should serve rather than this node, which is no primary: the higher (epoch, position), at a tie
 * the one that is primary, or would wait for this one for ever; then the one whose disk says primary, then the
 * smaller server_id.
 * @param smaller whether this node has the smaller server_id.
 */
export function outranks(peer: Standing, own: Standing, smaller: boolean): boolean {
  if (isAhead(peer, own)) return true;
  if (isAhead(own, peer)) return false;
  if (peer.role === 'primary') return true;
  return peer.wasPrimary === own.wasPrimary ? !smaller : peer.wasPrimary;
}
