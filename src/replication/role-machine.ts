import type { Clock } from '../base/clock.js';
import { CodedError } from '../base/errors.js';
import type { Logger } from '../telemetry/log.js';
import type { HandOver } from './hand-over.js';
import type { PeerWatch } from './peer-watch.js';
import type { RoleState, RoleStore } from './role-file.js';
import type { History, RoleListener, RoleOptions } from './role-options.js';
import { RoleTenure } from './role-tenure.js';
import type { ToldStandby } from './told-standby.js';
import { isAhead } from './standing.js';
import type { Role, Standing, Word } from './standing.js';
import { WordHandler } from './word-handler.js';

/**
 * Decides who serves. The states, messages and steps are those of docs/models/failover.pml, explored
 * there with all interleavings; each odd-looking clause closes a trace in which two served or something
 * confirmed was lost. No I/O but the RoleStore; time comes from `tick` and the clock.
 */
export class RoleMachine {
  private readonly tenure: RoleTenure;
  private readonly handler: WordHandler;
  private sequence = 0;

  /** Takes a new boot id, durably. @throws {CodedError} as StoredRole */
  constructor(
    private readonly options: RoleOptions,
    store: RoleStore,
    history: History,
    listener: RoleListener,
    private readonly clock: Clock,
    log: Logger,
  ) {
    this.tenure = new RoleTenure(options, store, history, listener, clock, log);
    this.handler = new WordHandler(this.tenure, history, listener, clock, log);
  }

  get role(): Role {
    return this.tenure.role;
  }
  private get disk(): RoleState {
    return this.tenure.stored.state;
  }
  private get peer(): PeerWatch {
    return this.tenure.peer;
  }
  /** The planned switch, as far as it has come. */
  get handOver(): HandOver {
    return this.tenure.handOver;
  }
  /** As a primary: what it knows of its backup. */
  get standby(): ToldStandby {
    return this.tenure.standby;
  }
  get epoch(): number {
    return this.disk.epoch;
  }
  get boot(): number {
    return this.disk.boot;
  }
  /** Highest of the peer's that was seen, 0 before the first. */
  get peerBoot(): number {
    return this.peer.boot;
  }
  /** server_id of the only gateway that may be the peer now; empty where any of the pair may. */
  get heldPeer(): string {
    return this.tenure.heldPeer;
  }
  get solo(): boolean {
    return this.disk.solo;
  }

  /** As a backup: told to be in sync, so that it may promote. As a primary: its backup has answered so. */
  get paired(): boolean {
    return this.role === 'primary'
      ? !this.disk.solo && this.standby.mayTakeOver
      : this.tenure.inSync;
  }

  /** Whether anything may be accepted, dispatched, answered with success or sent at this instant. */
  get accepting(): boolean {
    if (this.role !== 'primary' || this.handOver.begun || this.tenure.leaving) return false;
    return this.disk.solo || this.tenure.lease.isValid(this.clock.now());
  }

  /** Whether nothing is served as far as is known here: neither by this gateway nor by a peer that is heard. */
  get isStranded(): boolean {
    return !this.accepting && !this.tenure.leaving && this.peer.isSilent;
  }

  get standing(): Standing {
    return this.tenure.standing;
  }

  /** A backup hears its primary and stays quiet; everyone else speaks at every heartbeat interval. */
  get speaks(): boolean {
    return this.role !== 'backup' || this.peer.isSilent;
  }

  /** The next heartbeat or question; its sequence names its answer. */
  nextWord(): Word {
    const bare = this.word();
    const word = { ...bare, handingOver: this.handOver.speaks(bare.sequence) };
    this.tenure.lease.sent(word.sequence, this.clock.now());
    return word;
  }

  /**
   * A heartbeat or question has come.
   * @returns the answer; null where it is of an older process or out of order, and changes nothing.
   */
  onHeartbeat(word: Word): Word | null {
    // Its answer may let the peer serve alone.
    this.tenure.stored.settle();
    if (!this.handler.onHeartbeat(word)) return null;
    const { sequence, handingOver } = word;
    return { ...this.word(), sequence, handingOver, takeOver: this.tenure.request.say() };
  }

  /** Whether an answer counts: of no former process, and to what was asked in the present role. */
  awaits(sequence: number, { boot }: Word): boolean {
    return this.handler.awaits(sequence, boot);
  }

  /** The answer to the word with this sequence; one that is not awaited is void. */
  onAnswer(sequence: number, word: Word): void {
    this.handler.onAnswer(sequence, word);
  }

  /**
   * The primary's stream has opened and shows who it is, as a heartbeat does.
   * @returns whether to go on: an empty snapshot of a restarted primary must not be taken.
   */
  onStreamOpened(standing: Standing): boolean {
    if (!this.handler.onStreamOpened(standing)) return false;
    return this.mayTake(standing.boot, standing.epoch, standing.position);
  }

  /** Whether a snapshot may replace what is here: from the primary that is followed, and not behind. */
  mayTake(boot: number, epoch: number, position: number): boolean {
    if (this.role !== 'backup' || boot !== this.peer.boot) return false;
    return !isAhead(this.standing, { epoch, position });
  }

  /** A whole snapshot was taken: the history is the primary's, epoch and position at once. */
  onSnapshot(epoch: number, position: number): void {
    this.tenure.stored.adopt(epoch, position);
    this.tenure.lease.reset();
  }

  /** The standby with this boot id has everything up to where the tail begins. */
  onCaughtUp(boot: number): void {
    if (this.role === 'primary' && boot === this.peer.boot) this.standby.hasCaughtUp(boot);
  }

  /** To be called every `tickPeriod` ms: timeouts end here. */
  tick(): void {
    this.peer.tick();
    this.tenure.stored.settle();
    if (!this.peer.isSilent || this.tenure.leaving) return;
    if (this.role === 'starting') this.goOnAlone();
    else if (this.role === 'backup') this.replaceDead();
    else if (!this.disk.solo && this.options.onPeerLoss === 'continue') {
      this.tenure.goOn('the backup is unreachable, on_peer_loss is continue');
    }
  }

  /** How often failback asked since this gateway last stayed primary, over restarts too. */
  get failbacks(): number {
    return this.disk.failbacks;
  }
  /** @throws {CodedError} ROLE_UNWRITABLE */
  countFailbacks(failbacks: number): void {
    this.tenure.stored.save({ failbacks });
  }

  /** As a backup: asks the primary, with the next few answers, to hand over. */
  askToTakeOver(): void {
    if (this.role !== 'backup') throw new CodedError('WRONG_ROLE', 'this gateway is no backup');
    if (!this.tenure.inSync)
      throw new CodedError('NOT_IN_SYNC', 'this backup is not in sync; wait');
    this.tenure.request.make();
  }

  /** The primary refused. */
  askNoMore(): void {
    this.tenure.request.withdraw();
  }

  /** Planned switch, first step: silent from now on, so that everything can be shipped. */
  fallSilent(): void {
    if (!this.accepting) throw new CodedError('WRONG_ROLE', 'this gateway does not serve');
    if (!this.paired) throw new CodedError('NOT_IN_SYNC', 'no backup is in sync; wait');
    this.handOver.begin();
  }

  /**
   * An operator says that the peer does not serve and will not come back as a primary. For a node that
   * waits or stepped down; outranks no higher epoch. @throws {CodedError} WRONG_ROLE or PEER_ALIVE
   */
  goSolo(): void {
    if (this.accepting) throw new CodedError('WRONG_ROLE', 'this gateway serves already');
    if (this.tenure.leaving) throw new CodedError('WRONG_ROLE', 'this gateway stops');
    if (!this.peer.isSilent) {
      const advice = 'stop it, or wait until it was silent for backup.heartbeat.timeout';
      throw new CodedError('PEER_ALIVE', `the peer was heard just now: ${advice}`);
    }
    if (this.role === 'primary') this.tenure.goOn('an operator said solo');
    else this.tenure.lead('an operator said solo');
  }

  /** This process stops: from now on it neither serves nor promotes, and its words say so. */
  leave(): void {
    this.tenure.leaving = true;
    this.tenure.inSync = false;
  }

  /** A client proved that it was served in this epoch: a primary of a lower one is stale. */
  onSeenEpoch(epoch: number): void {
    this.tenure.stored.noteEpoch(epoch);
    if (this.role !== 'primary' || epoch <= this.disk.epoch) return;
    this.tenure.standAside(`a client was served in epoch ${epoch}, this one is ${this.disk.epoch}`);
  }

  private word(): Word {
    const { mayWakeSolo } = this.tenure.stored;
    return {
      ...this.standing,
      sequence: ++this.sequence,
      inSyncBoot: this.disk.solo || mayWakeSolo ? 0 : this.standby.tell(),
      handingOver: false,
      takeOver: false,
      leaving: this.tenure.leaving && !mayWakeSolo,
      refuses: this.options.refuses,
      timeout: this.options.timeout,
    };
  }

  private goOnAlone(): void {
    if (this.tenure.stored.resumesAlone) this.tenure.lead('the peer does not answer');
  }

  private replaceDead(): void {
    if (this.tenure.inSync) this.tenure.promote('the primary is silent', false);
    else if (this.options.promoteStale)
      this.tenure.promote('the primary is silent, promote_stale', false);
  }
}
