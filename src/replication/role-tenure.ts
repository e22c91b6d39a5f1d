import type { Clock } from '../base/clock.js';
import { CodedError, messageOf } from '../base/errors.js';
import type { Logger } from '../telemetry/log.js';
import { HandOver } from './hand-over.js';
import { Lease } from './lease.js';
import { PeerWatch } from './peer-watch.js';
import type { RoleStore } from './role-file.js';
import type { History, RoleChange, RoleListener, RoleOptions } from './role-options.js';
import type { Role, Standing } from './standing.js';
import { StoredRole } from './stored-role.js';
import { TakeOverRequest } from './take-over-request.js';
import { ToldStandby } from './told-standby.js';

const UNPROMOTED = { promoted: false, planned: false } as const;

/** The role of a RoleMachine, all that ends with it, and the steps from one to the next, each on disk first. */
export class RoleTenure {
  role: Role = 'starting';
  /** As a backup: told by its primary. */
  inSync = false;
  /** As a backup in sync: nothing that it lacks has left its primary. */
  primaryRefuses = false;
  /** This process stops: it neither serves nor promotes any more. */
  leaving = false;
  readonly stored: StoredRole;
  readonly lease: Lease;
  readonly peer: PeerWatch;
  readonly handOver = new HandOver();
  readonly request = new TakeOverRequest();
  readonly standby = new ToldStandby();

  /** Takes a new boot id, durably. @throws {CodedError} as StoredRole */
  constructor(
    private readonly options: RoleOptions,
    store: RoleStore,
    private readonly history: History,
    private readonly listener: RoleListener,
    clock: Clock,
    private readonly log: Logger,
  ) {
    this.stored = new StoredRole(options, store, history, clock);
    this.lease = new Lease(options.timeout);
    this.peer = new PeerWatch(options, clock);
  }

  /** What this node says of itself. */
  get standing(): Standing {
    return this.stored.standing(this.role, this.inSync);
  }

  /**
   * server_id of the peer while no other gateway may take its place: it was heard just now, or may serve though
   * it is not heard. Empty where any gateway of the pair may be the peer.
   */
  get heldPeer(): string {
    const { role, solo, peer } = this.stored.state;
    // A start ends nothing of what the backup may have begun: it waits for that one, or for an operator.
    const waits = this.role === 'starting' && !this.stored.resumesAlone;
    const mayServe = role === 'primary' && !solo && (this.role === 'primary' || waits);
    return mayServe || !this.peer.isSilent ? peer : '';
  }

  /**
   * A node that was primary goes on in its own epoch; any other opens a new one. Where it was not solo, a
   * backup may have promoted without a jump, by a planned switch or under `refuse`, and have given out the
   * numbers that come next: then they jump, unless the backup shows that it did not.
   * @param witnessed the peer, with its history complete, has no higher epoch.
   */
  lead(reason: string, witnessed = false): void {
    const { ownsEpoch, isWhole, state } = this.stored;
    if (!ownsEpoch) this.promote(reason, false);
    else this.serve(reason, !isWhole || !(state.solo || witnessed));
  }

  /**
   * Numbers do not jump where this node knows all that ever left: after a planned switch, or where it is in
   * sync with a primary that let go of nothing unconfirmed. It must not let go of any itself: that primary
   * goes on with the same numbers where it was only out of reach.
   */
  promote(reason: string, planned: boolean): void {
    const refuse = this.inSync && this.primaryRefuses && this.options.refuses;
    const knowsAll = planned || (refuse && this.stored.isWhole);
    const jump = !knowsAll && !this.stored.isFirst;
    this.stored.beginEpoch();
    this.become('primary', { promoted: true, planned, jump, reason });
  }

  /**
   * A planned switch. Where the disk cannot be written this node stays a backup, and its answer says so:
   * the primary serves on at once.
   */
  takeOffer(): void {
    this.promoteIfWritable('planned switch', true);
  }

  /**
   * The primary is back as another process. Where the disk cannot be written this node gives up that it may
   * promote, or neither would serve: the one that is back waits for whoever is in sync.
   */
  replaceReturned(): void {
    if (this.promoteIfWritable('the primary came back as another process', false)) return;
    this.inSync = false;
  }

  private promoteIfWritable(reason: string, planned: boolean): boolean {
    try {
      this.promote(reason, planned);
      return true;
    } catch (error) {
      if (!(error instanceof CodedError) || error.code !== 'ROLE_UNWRITABLE') throw error;
      this.log.error({ reason: error.message }, 'this gateway cannot take over');
      return false;
    }
  }

  /**
   * The primary goes on without the backup that it had. An offer to take over that nobody answered may have
   * been taken, without a jump, so that numbers jump here.
   * @param declinedBy boot id of the backup that says it did not take over: counts only of the one offered to.
   */
  goOn(reason: string, declinedBy = 0): void {
    const declined = declinedBy !== 0 && !this.standby.outlives(declinedBy);
    this.serve(reason, this.handOver.offered && !declined);
  }

  /** Goes on, or begins again, in the present epoch. Solo first, and on disk: nobody else may promote. */
  private serve(reason: string, jump: boolean): void {
    this.stored.save({ role: 'primary', solo: true });
    if (this.role !== 'primary' || jump) {
      this.become('primary', { ...UNPROMOTED, jump, reason });
      return;
    }
    this.keepServing();
    this.standby.forget();
    this.peer.heard();
    this.listener.onAlone(reason);
  }

  /** The offer is over first: with the news of it what has waited for that is numbered. */
  keepServing(): void {
    const { offered } = this.handOver;
    this.handOver.end();
    if (offered) this.listener.onHandOverFailed();
  }

  join(peer: Standing): void {
    const own = `epoch ${this.stored.state.epoch}, position ${this.history.position()}`;
    this.standAside(`the peer has epoch ${peer.epoch}, position ${peer.position}; here: ${own}`);
  }

  standAside(reason: string): void {
    try {
      this.stored.save({ role: 'backup', solo: false });
    } catch (error) {
      this.stored.forceBackup();
      this.log.error({ reason: messageOf(error) }, 'cannot store that this gateway is a backup');
    }
    this.become('backup', { ...UNPROMOTED, jump: false, reason });
  }

  private become(role: Role, change: Omit<RoleChange, 'role' | 'epoch' | 'smaller'>): void {
    this.role = role;
    this.inSync = false;
    this.handOver.end();
    this.request.withdraw();
    this.standby.forget();
    this.peer.heard();
    this.lease.reset();
    this.listener.onRole({
      role,
      epoch: this.stored.state.epoch,
      smaller: this.stored.smaller,
      ...change,
    });
  }
}
