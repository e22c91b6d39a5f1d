import type { Clock } from '../base/clock.js';
import { CodedError, messageOf } from '../base/errors.js';
import type { Logger } from '../telemetry/log.js';
import { isOwnEpoch, nextEpoch } from './epoch.js';
import { Lease } from './lease.js';
import type { RoleState, RoleStore } from './role-file.js';
import type { History, RoleChange, RoleListener, RoleOptions } from './role-options.js';
import { StoredRole } from './stored-role.js';
import { isAhead, outranks } from './standing.js';
import type { Role, Standing, Word } from './standing.js';

/** A tick that comes after so many periods came late: this process, or the machine, was paused. */
const LATE_TICKS = 4;

const UNPROMOTED = { promoted: false, planned: false } as const;

/**
 * Decides who serves. The states, messages and steps are those of docs/models/failover.pml, explored
 * there with all interleavings; each odd-looking clause closes a trace in which two served or something
 * confirmed was lost. No I/O but the RoleStore; time comes from `tick` and the clock.
 */
export class RoleMachine {
  private current: Role = 'starting';
  private inSync = false;
  private handing: 'no' | 'silent' | 'offered' = 'no';
  private wanted = false;
  /** Highest boot id seen of the peer, and the highest word of it. */
  private peerBoot = 0;
  private peerSequence = 0;
  /** Boot id of the standby that has caught up, 0 for none. */
  private caughtUp = 0;
  private readonly stored: StoredRole;
  private adopted: boolean;
  private sequence = 0;
  private heardAt: number;
  private tickedAt: number;
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
    this.adopted = history.recovered;
    this.lease = new Lease(options.timeout);
    this.heardAt = this.tickedAt = clock.now();
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

  get solo(): boolean {
    return this.disk.solo;
  }

  /** As a backup: told to be in sync, so that it may promote. As a primary: has told so. */
  get paired(): boolean {
    return this.current === 'primary' ? !this.disk.solo && this.caughtUp !== 0 : this.inSync;
  }

  /** Whether anything may be accepted, dispatched, answered with success or sent at this instant. */
  get accepting(): boolean {
    if (this.current !== 'primary' || this.handing !== 'no') return false;
    return this.disk.solo || this.lease.isValid(this.clock.now());
  }

  get standing(): Standing {
    const { role, epoch, boot } = this.disk;
    return {
      serverId: this.options.serverId,
      role: this.current,
      wasPrimary: role === 'primary',
      epoch,
      position: this.history.position(),
      boot,
      recovered: this.adopted,
      inSync: this.inSync,
    };
  }

  private get peerIsSilent(): boolean {
    return this.clock.now() - this.heardAt >= this.options.timeout;
  }

  /** A backup hears its primary and stays quiet; everyone else speaks at every heartbeat interval. */
  get speaks(): boolean {
    return this.current !== 'backup' || this.peerIsSilent;
  }

  /** The next heartbeat or question; its sequence names its answer. */
  nextWord(): Word {
    const word = { ...this.word(), handingOver: this.handing === 'offered' };
    this.lease.sent(word.sequence, this.clock.now());
    return word;
  }

  /**
   * A heartbeat or question has come.
   * @returns the answer; null where it is of an older process or out of order, and changes nothing.
   */
  onHeartbeat(word: Word): Word | null {
    if (!this.isCurrent(word)) return null;
    this.meet(word);
    this.peerSequence = word.sequence;
    if (this.follows(word)) this.hearPrimary(word);
    return { ...this.word(), sequence: word.sequence, handingOver: word.handingOver };
  }

  /** The answer to the word with this sequence. Answers to what was asked in another role are void. */
  onAnswer(sequence: number, word: Word): void {
    if (word.boot < this.peerBoot || !this.lease.awaits(sequence)) return;
    this.meet(word);
    if (!this.lease.awaits(sequence)) return;
    if (this.current === 'primary') this.hearBackup(sequence, word);
    else this.perhapsLead(sequence, word);
  }

  /**
   * The primary's stream has opened and shows who it is, as a heartbeat does.
   * @returns whether to go on: an empty snapshot of a restarted primary must not be taken.
   */
  onStreamOpened(standing: Standing): boolean {
    if (standing.boot < this.peerBoot || standing.role !== 'primary') return false;
    this.meet(standing);
    return this.mayTake(standing.boot, standing.epoch, standing.position);
  }

  /** Whether a snapshot may replace what is here: from the primary that is followed, and not behind. */
  mayTake(boot: number, epoch: number, position: number): boolean {
    if (this.current !== 'backup' || boot !== this.peerBoot) return false;
    return !isAhead(this.standing, { epoch, position });
  }

  /** A whole snapshot was taken: the history is the primary's, epoch and position at once. */
  onSnapshot(epoch: number, position: number): void {
    this.stored.save({ epoch, position });
    this.adopted = true;
    this.lease.reset();
  }

  /** The standby with this boot id has everything up to where the tail begins. */
  onCaughtUp(boot: number): void {
    if (this.current === 'primary' && boot === this.peerBoot) this.caughtUp = boot;
  }

  /** To be called every `tickPeriod` ms: timeouts end here. */
  tick(): void {
    const now = this.clock.now();
    // After a pause what waits in the sockets is heard before anybody is taken for dead.
    if (now - this.tickedAt > LATE_TICKS * this.options.tickPeriod) this.heardAt = now;
    this.tickedAt = now;
    if (!this.peerIsSilent) return;
    if (this.current === 'starting') this.goOnAlone();
    else if (this.current === 'backup') this.replaceDead();
    else if (!this.disk.solo && this.options.onPeerLoss === 'continue') {
      this.serve('the backup is unreachable, on_peer_loss is continue', false);
    }
  }

  /** As a backup: asks the primary, with the next answers, to hand over. */
  askToTakeOver(): void {
    if (this.current !== 'backup') throw new CodedError('WRONG_ROLE', 'this gateway is no backup');
    if (!this.inSync) throw new CodedError('NOT_IN_SYNC', 'this backup is not in sync; wait');
    this.wanted = true;
  }

  /** Planned switch, first step: silent from now on, so that everything can be shipped. */
  fallSilent(): void {
    if (!this.accepting) throw new CodedError('WRONG_ROLE', 'this gateway does not serve');
    if (!this.paired) throw new CodedError('NOT_IN_SYNC', 'no backup is in sync; wait');
    this.handing = 'silent';
  }

  /** Second step: heartbeats say so. Only the backup's answer, or its loss, ends it. */
  offer(): void {
    if (this.handing === 'silent') this.handing = 'offered';
  }

  /** Serves again: allowed as long as nothing was offered. @returns whether it was. */
  withdraw(): boolean {
    if (this.handing !== 'silent') return false;
    this.handing = 'no';
    return true;
  }

  /** An operator says that the peer does not serve and will not come back as a primary. */
  goSolo(): void {
    if (this.current === 'backup' && !this.peerIsSilent) {
      throw new CodedError('WRONG_ROLE', 'the primary is alive; switch instead');
    }
    if (this.current === 'primary') this.serve('an operator said solo', false);
    else this.lead('an operator said solo');
  }

  private word(): Word {
    return {
      ...this.standing,
      sequence: ++this.sequence,
      inSyncBoot: this.disk.solo ? 0 : this.caughtUp,
      handingOver: false,
      takeOver: this.wanted,
    };
  }

  private isCurrent({ boot, sequence }: Word): boolean {
    return boot > this.peerBoot || (boot === this.peerBoot && sequence > this.peerSequence);
  }

  /** What any word of the peer, whose boot id is not below the last seen, does to the role. */
  private meet(peer: Standing): void {
    const returned = this.peerBoot !== 0 && peer.boot > this.peerBoot;
    if (peer.boot > this.peerBoot) this.peerSequence = 0;
    this.peerBoot = peer.boot;
    if (peer.serverId !== this.disk.peer) this.stored.save({ peer: peer.serverId });
    const own = this.standing;
    const ahead = isAhead(peer, own);
    if (this.current === 'starting') {
      this.heardAt = this.clock.now();
      if (outranks(peer, own, this.stored.smaller)) this.join(peer);
    } else if (this.current === 'backup' && this.inSync && returned) {
      // It may have been degraded, then it has more; an empty one must not take this history.
      if (ahead && (peer.epoch > own.epoch || peer.recovered)) this.inSync = false;
      else this.promote('the primary came back as another process', false);
    } else if (this.current === 'primary' && (ahead || this.yieldsTie(peer, own))) {
      this.join(peer);
    }
  }

  /** Two that were both configured as primary and met only now. */
  private yieldsTie(peer: Standing, own: Standing): boolean {
    return peer.role === 'primary' && !isAhead(own, peer) && this.stored.smaller;
  }

  private follows({ role, epoch }: Word): boolean {
    return this.current === 'backup' && role === 'primary' && epoch >= this.disk.epoch;
  }

  private hearPrimary(word: Word): void {
    this.heardAt = this.clock.now();
    // Answers on their way are older than this.
    this.lease.reset();
    this.inSync = word.inSyncBoot === this.disk.boot && word.epoch === this.disk.epoch;
    const has = word.position === this.history.position();
    if (this.inSync && word.handingOver && has) this.promote('planned switch', true);
  }

  private hearBackup(sequence: number, word: Word): void {
    this.heardAt = this.clock.now();
    if (word.boot !== this.caughtUp) this.caughtUp = 0;
    const ofEpoch = word.role === 'backup' && word.epoch === this.disk.epoch;
    this.lease.answered(sequence, ofEpoch);
    if (!ofEpoch) return; // Else it cannot take over, or it would have.
    if (word.handingOver && this.handing === 'offered') {
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
    const { role, solo } = this.disk;
    const { onPeerLoss, promoteStale } = this.options;
    const resumes = promoteStale || solo || (role === 'primary' && onPeerLoss === 'continue');
    if (resumes) this.lead('the peer does not answer');
  }

  private replaceDead(): void {
    if (this.inSync) this.promote('the primary is silent', false);
    else if (this.options.promoteStale) this.promote('the primary is silent, promote_stale', false);
  }

  /** A node that was primary goes on in its own epoch; any other opens a new one. */
  private lead(reason: string): void {
    const { role, epoch } = this.disk;
    const resumes = role === 'primary' && isOwnEpoch(epoch, this.stored.smaller);
    if (this.current === 'starting' && resumes) this.serve(reason, !this.adopted);
    else this.promote(reason, false);
  }

  private promote(reason: string, planned: boolean): void {
    const epoch = nextEpoch(this.disk.epoch, this.stored.smaller);
    const jump = !planned && !this.options.refuses && this.disk.epoch > 0;
    this.stored.save({ role: 'primary', solo: true, epoch });
    this.become('primary', { promoted: true, planned, jump, reason });
  }

  /** Goes on, or begins again, in the present epoch. Solo first, and on disk: nobody else may promote. */
  private serve(reason: string, jump: boolean): void {
    this.stored.save({ role: 'primary', solo: true });
    if (this.current === 'primary') {
      this.keepServing();
      this.caughtUp = 0;
      this.heardAt = this.clock.now();
      this.log.warn({ epoch: this.disk.epoch, reason }, 'serving without a backup');
    } else this.become('primary', { ...UNPROMOTED, jump, reason });
  }

  private keepServing(): void {
    if (this.handing === 'offered') this.listener.onHandOverFailed();
    this.handing = 'no';
  }

  private join(peer: Standing): void {
    try {
      this.stored.save({ role: 'backup', solo: false });
    } catch (error) {
      this.stored.forceBackup();
      this.log.error({ reason: messageOf(error) }, 'cannot store that this gateway is a backup');
    }
    const own = `epoch ${this.disk.epoch}, position ${this.history.position()}`;
    const reason = `the peer has epoch ${peer.epoch}, position ${peer.position}; here: ${own}`;
    this.become('backup', { ...UNPROMOTED, jump: false, reason });
  }

  private become(role: Role, change: Omit<RoleChange, 'role' | 'epoch' | 'smaller'>): void {
    this.current = role;
    this.inSync = false;
    this.handing = 'no';
    this.wanted = false;
    this.caughtUp = 0;
    this.heardAt = this.clock.now();
    this.lease.reset();
    this.listener.onRole({ role, epoch: this.disk.epoch, smaller: this.stored.smaller, ...change });
  }
}
