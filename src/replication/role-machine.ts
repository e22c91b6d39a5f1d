import type { Clock } from '../base/clock.js';
import { CodedError, messageOf } from '../base/errors.js';
import type { Logger } from '../telemetry/log.js';
import { HandOver } from './hand-over.js';
import { Lease } from './lease.js';
import type { RoleState, RoleStore } from './role-file.js';
import type { History, RoleChange, RoleListener, RoleOptions } from './role-options.js';
import { StoredRole } from './stored-role.js';
import { TakeOverRequest } from './take-over-request.js';
import { PeerWatch } from './peer-watch.js';
import { isAhead, outranks, yieldsTie } from './standing.js';
import type { Role, Standing, Word } from './standing.js';

const UNPROMOTED = { promoted: false, planned: false } as const;

/**
 * Decides who serves. The states, messages and steps are those of docs/models/failover.pml, explored
 * there with all interleavings; each odd-looking clause closes a trace in which two served or something
 * confirmed was lost. No I/O but the RoleStore; time comes from `tick` and the clock.
 */
export class RoleMachine {
  /** The planned switch, as far as it has come. */
  readonly handOver = new HandOver();
  private current: Role = 'starting';
  private inSync = false;
  private readonly request = new TakeOverRequest();
  private leaving = false;
  private readonly peer: PeerWatch;
  /** Boot id of the standby that has caught up, 0 for none. */
  private caughtUp = 0;
  /** Boot id of the standby that said goodbye last. */
  departed = 0;
  private readonly stored: StoredRole;
  private sequence = 0;
  private readonly lease: Lease;

  /** Takes a new boot id, durably. @throws {CodedError} as StoredRole */
  constructor(
    private readonly options: RoleOptions,
    store: RoleStore,
    private readonly history: History,
    private readonly listener: RoleListener,
    private readonly clock: Clock,
    private readonly log: Logger,
  ) {
    this.stored = new StoredRole(options, store, history, clock);
    this.lease = new Lease(options.timeout);
    this.peer = new PeerWatch(options, clock);
  }

  get role(): Role {
    return this.current;
  }
  private get disk(): RoleState {
    return this.stored.state;
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
  get solo(): boolean {
    return this.disk.solo;
  }

  /** As a backup: told to be in sync, so that it may promote. As a primary: has told so. */
  get paired(): boolean {
    return this.current === 'primary' ? !this.disk.solo && this.caughtUp !== 0 : this.inSync;
  }

  /** Whether anything may be accepted, dispatched, answered with success or sent at this instant. */
  get accepting(): boolean {
    if (this.current !== 'primary' || this.handOver.begun || this.leaving) return false;
    return this.disk.solo || this.lease.isValid(this.clock.now());
  }

  get standing(): Standing {
    return this.stored.standing(this.current, this.inSync);
  }

  /** A backup hears its primary and stays quiet; everyone else speaks at every heartbeat interval. */
  get speaks(): boolean {
    return this.current !== 'backup' || this.peer.isSilent;
  }

  /** The next heartbeat or question; its sequence names its answer. */
  nextWord(): Word {
    const bare = this.word();
    const word = { ...bare, handingOver: this.handOver.speaks(bare.sequence) };
    this.lease.sent(word.sequence, this.clock.now());
    return word;
  }

  /**
   * A heartbeat or question has come.
   * @returns the answer; null where it is of an older process or out of order, and changes nothing.
   */
  onHeartbeat(word: Word): Word | null {
    if (!this.peer.isNews(word)) return null;
    this.meet(word);
    this.peer.took(word);
    if (this.follows(word)) this.hearPrimary(word);
    else if (word.leaving) this.partFrom(word);
    const { sequence, handingOver } = word;
    return { ...this.word(), sequence, handingOver, takeOver: this.request.say() };
  }

  /** Whether an answer counts: of no former process, and to what was asked in the present role. */
  awaits(sequence: number, { boot }: Word): boolean {
    return boot >= this.peer.boot && this.lease.awaits(sequence);
  }

  /** The answer to the word with this sequence; one that is not awaited is void. */
  onAnswer(sequence: number, word: Word): void {
    if (!this.awaits(sequence, word)) return;
    this.meet(word);
    if (!this.lease.awaits(sequence)) return;
    if (this.current === 'primary') this.hearBackup(sequence, word);
    else if (!this.leaving) this.perhapsLead(sequence, word);
  }

  /**
   * The primary's stream has opened and shows who it is, as a heartbeat does.
   * @returns whether to go on: an empty snapshot of a restarted primary must not be taken.
   */
  onStreamOpened(standing: Standing): boolean {
    if (standing.boot < this.peer.boot || standing.role !== 'primary') return false;
    this.meet(standing);
    return this.mayTake(standing.boot, standing.epoch, standing.position);
  }

  /** Whether a snapshot may replace what is here: from the primary that is followed, and not behind. */
  mayTake(boot: number, epoch: number, position: number): boolean {
    if (this.current !== 'backup' || boot !== this.peer.boot) return false;
    return !isAhead(this.standing, { epoch, position });
  }

  /** A whole snapshot was taken: the history is the primary's, epoch and position at once. */
  onSnapshot(epoch: number, position: number): void {
    this.stored.adopt(epoch, position);
    this.lease.reset();
  }

  /** The standby with this boot id has everything up to where the tail begins. */
  onCaughtUp(boot: number): void {
    if (this.current !== 'primary' || boot !== this.peer.boot || boot === this.departed) return;
    this.caughtUp = boot;
  }

  /** To be called every `tickPeriod` ms: timeouts end here. */
  tick(): void {
    this.peer.tick();
    if (!this.peer.isSilent || this.leaving) return;
    if (this.current === 'starting') this.goOnAlone();
    else if (this.current === 'backup') this.replaceDead();
    else if (!this.disk.solo && this.options.onPeerLoss === 'continue') {
      this.serve('the backup is unreachable, on_peer_loss is continue', false);
    }
  }

  /** As a backup: asks the primary, with the next few answers, to hand over. */
  askToTakeOver(): void {
    if (this.current !== 'backup') throw new CodedError('WRONG_ROLE', 'this gateway is no backup');
    if (!this.inSync) throw new CodedError('NOT_IN_SYNC', 'this backup is not in sync; wait');
    this.request.make();
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
    if (this.leaving) throw new CodedError('WRONG_ROLE', 'this gateway stops');
    if (!this.peer.isSilent) {
      const advice = 'stop it, or wait until it was silent for backup.heartbeat.timeout';
      throw new CodedError('PEER_ALIVE', `the peer was heard just now: ${advice}`);
    }
    if (this.current === 'primary') this.serve('an operator said solo', false);
    else this.lead('an operator said solo');
  }

  /** This process stops: from now on it neither serves nor promotes, and its words say so. */
  leave(): void {
    this.leaving = true;
    this.inSync = false;
  }

  /** A client proved that it was served in this epoch: a primary of a lower one is stale. */
  onSeenEpoch(epoch: number): void {
    this.stored.noteEpoch(epoch);
    if (this.current !== 'primary' || epoch <= this.disk.epoch) return;
    this.standAside(`a client was served in epoch ${epoch}, this one is ${this.disk.epoch}`);
  }

  private word(): Word {
    return {
      ...this.standing,
      sequence: ++this.sequence,
      inSyncBoot: this.disk.solo ? 0 : this.caughtUp,
      handingOver: false,
      takeOver: false,
      leaving: this.leaving,
    };
  }

  /** What any word of the peer, whose boot id is not below the last seen, does to the role. */
  private meet(peer: Standing): void {
    const returned = this.peer.met(peer.boot);
    if (peer.serverId !== this.disk.peer) this.stored.save({ peer: peer.serverId });
    const own = this.standing;
    const ahead = isAhead(peer, own);
    if (this.current === 'starting') {
      this.peer.heard();
      if (outranks(peer, own, this.stored.smaller)) this.join(peer);
    } else if (this.current === 'backup' && this.inSync && returned) {
      // It may have been degraded, then it has more; an empty one must not take this history.
      if (ahead && (peer.epoch > own.epoch || peer.recovered)) this.inSync = false;
      else this.promote('the primary came back as another process', false);
    } else if (this.current === 'primary' && (ahead || yieldsTie(peer, own, this.stored.smaller))) {
      this.join(peer);
    }
  }

  private follows({ role, epoch }: Word): boolean {
    return this.current === 'backup' && role === 'primary' && epoch >= this.disk.epoch;
  }

  private hearPrimary(word: Word): void {
    this.peer.heard();
    // Answers on their way are older than this.
    this.lease.reset();
    const ofEpoch = word.inSyncBoot === this.disk.boot && word.epoch === this.disk.epoch;
    this.inSync = ofEpoch && !this.leaving;
    if (!this.inSync) this.request.withdraw();
    if (!this.inSync || word.position !== this.history.position()) return;
    if (word.handingOver) this.promote('planned switch', true);
    else if (word.leaving) this.promote('the primary has stopped', true);
  }

  /** The standby stops, and will not take over: nothing is to be waited for. */
  private partFrom({ role, epoch, boot }: Word): void {
    if (this.current !== 'primary' || role !== 'backup' || epoch !== this.disk.epoch) return;
    this.departed = boot;
    this.listener.onDeparted();
    if (!this.disk.solo) this.serve('the backup has stopped', false);
  }

  private hearBackup(sequence: number, word: Word): void {
    this.peer.heard();
    if (word.boot !== this.caughtUp) this.caughtUp = 0;
    const ofEpoch = word.role === 'backup' && word.epoch === this.disk.epoch;
    this.lease.answered(sequence, ofEpoch && !word.leaving);
    if (word.leaving) return this.partFrom(word);
    if (!ofEpoch) return; // Else it cannot take over, or it would have.
    if (this.handOver.declinedBy(sequence)) {
      this.log.warn('the backup cannot take over; this gateway serves on');
      this.keepServing();
    }
    if (this.caughtUp !== 0 && this.disk.solo) this.stored.save({ solo: false });
    if (word.takeOver && this.accepting && this.paired) this.listener.onTakeOverAsked();
  }

  /** Only an answer allows it: a heartbeat may be older than what made its sender be in sync. */
  private perhapsLead(sequence: number, word: Word): void {
    this.lease.answered(sequence, false);
    if (word.role !== 'backup' || word.inSync) return;
    if (outranks(word, this.standing, this.stored.smaller)) return;
    this.lead('the peer is a backup and not ahead');
  }

  private goOnAlone(): void {
    if (this.stored.resumesAlone) this.lead('the peer does not answer');
  }

  private replaceDead(): void {
    if (this.inSync) this.promote('the primary is silent', false);
    else if (this.options.promoteStale) this.promote('the primary is silent, promote_stale', false);
  }

  /** A node that was primary goes on in its own epoch; any other opens a new one. */
  private lead(reason: string): void {
    if (this.current === 'starting' && this.stored.ownsEpoch)
      this.serve(reason, !this.stored.isWhole);
    else this.promote(reason, false);
  }

  private promote(reason: string, planned: boolean): void {
    const knowsAll = planned || (this.options.refuses && this.stored.isWhole);
    const jump = !knowsAll && this.disk.epoch > 0;
    this.stored.beginEpoch();
    this.become('primary', { promoted: true, planned, jump, reason });
  }

  /** Goes on, or begins again, in the present epoch. Solo first, and on disk: nobody else may promote. */
  private serve(reason: string, jump: boolean): void {
    this.stored.save({ role: 'primary', solo: true });
    if (this.current === 'primary') {
      this.keepServing();
      this.caughtUp = 0;
      this.peer.heard();
      this.listener.onAlone(reason);
    } else this.become('primary', { ...UNPROMOTED, jump, reason });
  }

  private keepServing(): void {
    if (this.handOver.offered) this.listener.onHandOverFailed();
    this.handOver.end();
  }

  private join(peer: Standing): void {
    const own = `epoch ${this.disk.epoch}, position ${this.history.position()}`;
    this.standAside(`the peer has epoch ${peer.epoch}, position ${peer.position}; here: ${own}`);
  }

  private standAside(reason: string): void {
    try {
      this.stored.save({ role: 'backup', solo: false });
    } catch (error) {
      this.stored.forceBackup();
      this.log.error({ reason: messageOf(error) }, 'cannot store that this gateway is a backup');
    }
    this.become('backup', { ...UNPROMOTED, jump: false, reason });
  }

  private become(role: Role, change: Omit<RoleChange, 'role' | 'epoch' | 'smaller'>): void {
    this.current = role;
    this.inSync = false;
    this.handOver.end();
    this.request.withdraw();
    this.caughtUp = 0;
    this.peer.heard();
    this.lease.reset();
    this.listener.onRole({ role, epoch: this.disk.epoch, smaller: this.stored.smaller, ...change });
  }
}
