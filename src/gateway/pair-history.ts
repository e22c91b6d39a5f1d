import { JournalImage } from '../journal/journal-image.js';
import type { JournalBatch, JournalFollower, JournalRenewal } from '../journal/journal.js';
import { Promotions, promotionId } from '../journal/promotions.js';
import type { WaitFailure } from '../journal/threshold.js';
import type { RoleChange } from '../replication/role-options.js';
import type { ZoneRouter } from '../routing/zone-router.js';
import type { SessionService } from '../session/session-service.js';
import type { StateRecord } from '../wire/messages.js';
import type { JournalSide } from './journal-side.js';
import type { PairOffers } from './pair-offers.js';
import type { StateKeeper } from './state-keeper.js';
import { unsharedPushes } from './unshared-pushes.js';

/** Told to whoever still waited when this gateway lost its role. */
const DEPOSED: WaitFailure = {
  pushError: 'REPLICATION_LAG',
  reason: 'this gateway is not the primary any more; the push may arrive all the same',
};

/**
 * The history of one gateway of a pair, wherever it is: in an image while this gateway does not serve,
 * in sessions and routing while it does. What moves between the two moves within one turn.
 */
export class PairHistory implements JournalFollower {
  private image = new JournalImage();
  private serves = false;
  /** Nothing is missing at its end: the log or the state file was complete, or the peer gave it. */
  private isWhole = false;
  /** While this gateway serves; else the image has its own. */
  private readonly promotions = new Promotions();

  constructor(
    private readonly journal: JournalSide,
    private readonly sessions: SessionService,
    private readonly router: ZoneRouter,
    private readonly state: StateKeeper,
    private readonly offers: PairOffers,
  ) {}

  /** Of the image; while this gateway serves the journal's own counts. */
  get position(): number {
    return this.image.position;
  }

  /** Epoch of the image, 0 where there was no promotion. */
  get epoch(): number {
    return this.image.epoch;
  }

  /** Sessions that would be there after a promotion, or are there. */
  get sessionCount(): number {
    return this.serves ? this.sessions.registry.size : this.image.sessionCount;
  }

  /**
   * Begins with what the last process left: in the state file, which is newer where there is one, or in
   * the log on disk.
   * @returns whether that is complete.
   */
  async recover(): Promise<boolean> {
    const { journal, state } = this;
    const found = await journal.recover(() => this.records());
    const kept = await state.loadImage();
    const image = kept ?? found?.image;
    if (image === undefined) return false;
    this.image = image;
    journal.writer?.continueFrom(image.position);
    this.isWhole = kept !== null || found?.complete === true;
    return this.isWhole;
  }

  /** After the last entry: keeps everything for the next start, where no log on disk does. */
  async save(): Promise<void> {
    const { journal, state } = this;
    if (journal.onDisk) return;
    if (this.serves) this.sessions.pushes.close();
    const position = this.serves ? (journal.writer?.newest ?? 0) : this.image.position;
    await state.saveImage(position, this.records());
  }

  /** Everything as a snapshot, for the log on disk and for the standby. */
  *records(): IterableIterator<StateRecord> {
    if (!this.serves) return yield* this.image.records();
    yield* this.sessions.archive.snapshot();
    yield* this.router.registrations();
    yield* this.promotions.records();
  }

  /** The history of this gateway gives way: what the other one lacks is not forgotten in silence. */
  private compare(former: JournalImage, present: JournalImage): void {
    const fork = present.promotions.forkOf(former.promotions);
    if (fork === null || former.position < fork.position) return;
    this.offers.found(unsharedPushes(former.records(), present.records(), fork));
  }

  renew(position: number): JournalRenewal {
    const image = new JournalImage();
    image.reset(position, []);
    return {
      set: (record) => image.set(record),
      apply: (batch) => image.apply(batch),
      commit: () => {
        this.state.forgetImage();
        this.compare(this.image, image);
        this.image = image;
        this.isWhole = true;
        this.journal.writer?.resumeAt(image.position);
        this.journal.rewrite();
      },
    };
  }

  apply(batch: JournalBatch): void {
    this.image.apply(batch);
    this.journal.writer?.relay(batch);
  }

  /**
   * This gateway is the primary from now on: sessions are there, detached, and may be resumed. One that was
   * the primary already begins again with what it has, for its numbers jump.
   */
  takeOver({ jump, smaller, epoch }: RoleChange): void {
    if (this.serves) this.standDown();
    const { image, journal, sessions, router, state } = this;
    state.forgetImage();
    const writer = journal.writer;
    const isNew = image.position === 0;
    writer?.resumeAt(image.position);
    if (isNew) sessions.registry.raiseFloor(state.floor);
    else router.restore(image.records());
    const parity = smaller ? 'odd' : 'even';
    sessions.archive.restore(image.records(), jump ? parity : null);
    this.serves = true;
    this.promotions.clear();
    this.promotions.add(image.promotions);
    // What restoring writes is behind this, and the former primary's own entries may be too.
    const position = image.position + 1;
    const forgot = jump && !this.isWhole;
    const promotion = { epoch, position, id: promotionId(), forgot };
    this.promotions.note(promotion);
    this.isWhole = true;
    this.image = new JournalImage();
    // What was written while restoring is in the snapshot that every reader of the journal gets now.
    writer?.resumeAt(writer.newest);
    journal.rewrite();
    writer?.promoted(promotion);
    writer?.flush();
  }

  /** After `takeOver`, once requests are routed: those without an answer that were kept go to their upstreams again. */
  askAgain(): void {
    this.sessions.archive.askAgain();
  }

  /**
   * This gateway is a backup from now on: everything that it holds becomes an image again, to be kept
   * until the primary's snapshot takes its place.
   */
  standDown(): void {
    const { journal, sessions, router } = this;
    const writer = journal.writer;
    if (!this.serves || writer === null) return;
    const { position } = writer;
    this.image.reset(position, [...this.records()]);
    this.serves = false;
    sessions.standDown();
    router.standDown();
    writer.resumeAt(position);
    journal.restartSnapshot();
    writer.settled.abandon(DEPOSED);
    writer.deliverable.abandon(DEPOSED);
  }
}
