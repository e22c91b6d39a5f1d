import type { Clock } from '../base/clock.js';
import type { Logger } from '../telemetry/log.js';
import type { HandOver } from './hand-over.js';
import type { Lease } from './lease.js';
import type { PeerWatch } from './peer-watch.js';
import type { RoleState } from './role-file.js';
import type { History, RoleListener } from './role-options.js';
import type { RoleTenure } from './role-tenure.js';
import { isAhead, outranks, yieldsTie } from './standing.js';
import type { Role, Standing, Word } from './standing.js';
import type { ToldStandby } from './told-standby.js';

/** The half of a RoleMachine that listens: what each word of the peer does to the role. */
export class WordHandler {
  constructor(
    private readonly tenure: RoleTenure,
    private readonly history: History,
    private readonly listener: RoleListener,
    private readonly clock: Clock,
    private readonly log: Logger,
  ) {}

  private get role(): Role {
    return this.tenure.role;
  }
  private get disk(): RoleState {
    return this.tenure.stored.state;
  }
  private get peer(): PeerWatch {
    return this.tenure.peer;
  }
  private get lease(): Lease {
    return this.tenure.lease;
  }
  private get handOver(): HandOver {
    return this.tenure.handOver;
  }
  private get standby(): ToldStandby {
    return this.tenure.standby;
  }

  /** @returns whether it is to be answered: not where it is of an older process or out of order. */
  onHeartbeat(word: Word): boolean {
    this.recognize(word);
    if (!this.peer.isNews(word)) return false;
    this.meet(word);
    this.lease.limit(word.timeout, this.clock.now());
    this.peer.took(word);
    if (this.follows(word)) this.hearPrimary(word);
    else if (word.leaving) this.partFrom(word);
    return true;
  }

  /** Whether an answer with this sequence, of the process with this boot id, counts. */
  awaits(sequence: number, boot: number): boolean {
    return boot >= this.peer.boot && this.lease.awaits(sequence);
  }

  onAnswer(sequence: number, word: Word): void {
    this.recognize(word);
    if (!this.awaits(sequence, word.boot)) return;
    this.meet(word);
    this.lease.limit(word.timeout, this.clock.now());
    if (!this.lease.awaits(sequence)) return;
    if (this.role === 'primary') this.hearBackup(sequence, word);
    else if (!this.tenure.leaving) this.perhapsLead(sequence, word);
  }

  /** @returns whether it is the stream of a primary, and of no older process. */
  onStreamOpened(standing: Standing): boolean {
    this.recognize(standing);
    if (standing.boot < this.peer.boot || standing.role !== 'primary') return false;
    this.meet(standing);
    return true;
  }

  /** The gate lets another gateway than the known peer come only where that one neither is heard nor may serve. */
  private recognize({ serverId }: Standing): void {
    const known = this.disk.peer;
    if (serverId === known) return;
    this.tenure.stored.save({ peer: serverId });
    if (known === '') return;
    this.peer.replaced();
    this.standby.replaced();
  }

  /** What any word of the peer, whose boot id is not below the last seen, does to the role. */
  private meet(peer: Standing): void {
    const returned = this.peer.met(peer.boot);
    const own = this.tenure.standing;
    const ahead = isAhead(peer, own);
    if (this.role === 'starting') {
      this.peer.heard();
      if (outranks(peer, own, this.tenure.stored.smaller)) this.tenure.join(peer);
    } else if (this.role === 'backup' && this.tenure.inSync && returned) {
      // It may have been degraded, then it has more; an empty one must not take this history.
      if (ahead && (peer.epoch > own.epoch || peer.recovered)) this.tenure.inSync = false;
      else this.tenure.replaceReturned();
    } else if (
      this.role === 'primary' &&
      (ahead || yieldsTie(peer, own, this.tenure.stored.smaller))
    ) {
      this.tenure.join(peer);
    }
  }

  private follows({ role, epoch }: Word): boolean {
    return this.role === 'backup' && role === 'primary' && epoch >= this.disk.epoch;
  }

  private hearPrimary(word: Word): void {
    this.peer.heard();
    // Answers on their way are older than this.
    this.lease.reset();
    const ofEpoch = word.inSyncBoot === this.disk.boot && word.epoch === this.disk.epoch;
    this.tenure.inSync = ofEpoch && !this.tenure.leaving;
    this.tenure.primaryRefuses = word.refuses;
    if (!this.tenure.inSync) this.tenure.request.withdraw();
    if (!this.tenure.inSync || word.position !== this.history.position()) return;
    if (word.handingOver) this.tenure.takeOffer();
    else if (word.leaving) this.tenure.promote('the primary has stopped', true);
  }

  /** The standby stops, and will not take over: nothing is to be waited for. */
  private partFrom({ role, epoch, boot }: Word): void {
    if (this.role !== 'primary' || role !== 'backup' || epoch !== this.disk.epoch) return;
    this.standby.hasLeft(boot);
    this.listener.onDeparted();
    if (!this.disk.solo) this.tenure.goOn('the backup has stopped', boot);
  }

  private hearBackup(sequence: number, word: Word): void {
    this.peer.heard();
    this.standby.answered(word.boot, word.inSync);
    const ofEpoch = word.role === 'backup' && word.epoch === this.disk.epoch;
    this.lease.answered(sequence, ofEpoch && !word.leaving);
    if (word.leaving) return this.partFrom(word);
    if (!ofEpoch) return this.perhapsReplaced(word);
    // An offer that it did not take it cannot take, or it would have.
    if (this.handOver.declinedBy(sequence)) {
      this.log.warn('the backup cannot take over; this gateway serves on');
      if (this.standby.outlives(word.boot)) this.tenure.goOn('another process was offered to');
      else this.tenure.keepServing();
    }
    if (this.standby.caughtUp !== 0 && this.disk.solo) this.tenure.stored.save({ solo: false });
    if (word.takeOver) this.listener.onTakeOverAsked();
  }

  /**
   * The backup came back with less than it had, or with nothing: its answers renew no lease until it has a
   * snapshot. Whoever was told to be in sync is no more, and this process promotes only once it is told,
   * before which solo is taken back on disk: nobody but this primary can accept in the meantime.
   */
  private perhapsReplaced({ role, inSync, boot }: Word): void {
    if (this.disk.solo || role !== 'backup' || inSync || !this.standby.outlives(boot)) return;
    this.tenure.goOn('the backup came back as another process, without this history');
  }

  /** Only an answer allows it: a heartbeat may be older than what made its sender be in sync. */
  private perhapsLead(sequence: number, word: Word): void {
    this.lease.answered(sequence, false);
    if (word.role !== 'backup' || word.inSync) return;
    if (outranks(word, this.tenure.standing, this.tenure.stored.smaller)) return;
    this.tenure.lead('the peer is a backup and not ahead', word.recovered);
  }
}
