import type { Clock } from '../base/clock.js';
import { CodedError } from '../base/errors.js';
import { isOwnEpoch, nextEpoch } from './epoch.js';
import type { RoleState, RoleStore } from './role-file.js';
import type { History, RoleOptions } from './role-options.js';
import type { Role, Standing } from './standing.js';

type StoredRoleOptions = Pick<RoleOptions, 'mode' | 'serverId' | 'onPeerLoss' | 'promoteStale'>;

/** The RoleState of this process, and the history under it: what it shows was durable before. */
export class StoredRole {
  private stored: RoleState;
  private adopted: boolean;
  private wakesSolo = false;

  /**
   * Takes a new boot id, durably.
   * @throws {StartupError} of the store; {CodedError} ROLE_UNWRITABLE
   */
  constructor(
    private readonly options: StoredRoleOptions,
    private readonly store: RoleStore,
    private readonly history: History,
    clock: Clock,
  ) {
    const last = store.load();
    // Not below the wall clock: a node whose disk was replaced must not look older than it was.
    const boot = Math.max((last?.boot ?? 0) + 1, Math.floor(clock.wallTime() / 1000));
    const { mode } = options;
    const known = last ?? {
      role: mode,
      solo: false,
      epoch: 0,
      seenEpoch: 0,
      peer: '',
      failbacks: 0,
    };
    this.adopted = history.recovered;
    this.stored = { ...known, boot, position: history.position() };
    store.save(this.stored);
  }

  get state(): RoleState {
    return this.stored;
  }

  /** Whether the history is complete: it came from the disk journal or the peer. */
  get isWhole(): boolean {
    return this.adopted;
  }

  /**
   * Whether no other gateway, and no process that is not known here, can have sent any number. Of one that is
   * configured as the backup nobody can tell: its primary may have served, and so may it have itself, before it
   * lost all that it knew.
   */
  get isFirst(): boolean {
    const nothingUnknown = this.adopted || this.history.position() === 0;
    return this.options.mode === 'primary' && this.stored.epoch === 0 && nothingUnknown;
  }

  /** What this node says of itself. */
  standing(current: Role, inSync: boolean): Standing {
    const { role, epoch, boot } = this.stored;
    return {
      serverId: this.options.serverId,
      role: current,
      wasPrimary: role === 'primary',
      epoch,
      position: this.history.position(),
      boot,
      recovered: this.adopted,
      inSync,
    };
  }

  /**
   * Whether this node has the smaller server_id. Before it ever met its peer, the one configured as
   * primary takes itself for it.
   */
  get smaller(): boolean {
    const { serverId, mode } = this.options;
    return this.stored.peer === '' ? mode === 'primary' : serverId < this.stored.peer;
  }

  /** Whether a node that starts, and that the peer does not answer, may go on by itself. */
  get resumesAlone(): boolean {
    const { role, solo } = this.stored;
    const { onPeerLoss, promoteStale } = this.options;
    return promoteStale || solo || (role === 'primary' && onPeerLoss === 'continue');
  }

  /** Whether it was primary in the epoch of its history: then it may go on in that. */
  get ownsEpoch(): boolean {
    const { role, epoch } = this.stored;
    return role === 'primary' && isOwnEpoch(epoch, this.smaller);
  }

  /**
   * This epoch was reached, though the journal does not know of it: no lower one begins here. On disk
   * with the next change, and one that deposes a primary is a change.
   */
  noteEpoch(epoch: number): void {
    const seenEpoch = Math.max(this.stored.seenEpoch, epoch);
    this.stored = { ...this.stored, seenEpoch };
  }

  /** A promotion. @throws as `save` */
  beginEpoch(): void {
    const epoch = nextEpoch(Math.max(this.stored.epoch, this.stored.seenEpoch), this.smaller);
    this.save({ role: 'primary', solo: true, epoch });
  }

  /** A snapshot of the peer's has taken the place of the history. @throws as `save` */
  adopt(epoch: number, position: number): void {
    this.save({ epoch, position });
    this.adopted = true;
  }

  /**
   * Whether a start may find that this node is solo though it is not: the file could not be written as it should.
   * Then the peer must be told nothing that lets it serve, for so may this node after a start.
   */
  get mayWakeSolo(): boolean {
    return this.wakesSolo;
  }

  /** Writes the file again where `mayWakeSolo`. @throws as `save` */
  settle(): void {
    if (this.wakesSolo) this.save({});
  }

  /**
   * @throws {CodedError} ROLE_UNWRITABLE: nothing has changed. ROLE_UNSYNCED: nothing but what a start may find.
   */
  save(change: Partial<RoleState>): void {
    const { seenEpoch } = this.stored;
    const state = { ...this.stored, position: this.history.position(), ...change };
    state.seenEpoch = Math.max(seenEpoch, state.epoch);
    try {
      this.store.save(state);
    } catch (error) {
      const unsynced = error instanceof CodedError && error.code === 'ROLE_UNSYNCED';
      if (unsynced && state.solo && !this.stored.solo) this.wakesSolo = true;
      throw error;
    }
    this.stored = state;
    this.wakesSolo = false;
  }

  /** Steps aside even where the disk is broken: that is always safe, serving on would not be. */
  forceBackup(): void {
    if (this.stored.solo) this.wakesSolo = true;
    this.stored = { ...this.stored, role: 'backup', solo: false };
  }
}
