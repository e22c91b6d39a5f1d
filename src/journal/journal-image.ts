import { CodedError } from '../base/errors.js';
import { JournalEntry, SessionState, StateRecord, decodeMessage } from '../wire/messages.js';
import { EntryReader } from './entry-reader.js';
import type { JournalBatch } from './journal.js';
import { MAX_KEYS } from './limits.js';
import { OfflineImage } from './offline-image.js';
import { Promotions } from './promotions.js';
import type { Promotion } from './promotions.js';
import { SessionImage } from './session-image.js';

/** Of the records that `records` yields; SessionArchive.snapshot has the same. */
export const STATE_VERSION = 1;

interface ImageKey {
  readonly digest: string;
  readonly plainDigest: string;
  /** Milliseconds since 1970, by the journal's own time. */
  readonly expiresAt: number;
}

type Registration = NonNullable<StateRecord['registration']>;
type Key = NonNullable<StateRecord['key']>;
type PromotionFields = NonNullable<StateRecord['promotion']>;

/**
 * The state that a journal leads to, built by reading it: on a standby, and when the log on disk is
 * read back. It needs no clock: the journal's own moments are its time.
 */
export class JournalImage {
  private readonly sessions = new Map<number, SessionImage>();
  private readonly offline = new OfflineImage();
  private readonly keys = new Map<string, ImageKey>();
  private readonly registrations = new Map<string, Registration>();
  readonly promotions = new Promotions();
  private floor = 0;
  private epochValue = 0;
  private moment = 0;
  private reached = 0;

  get position(): number {
    return this.reached;
  }

  /** The epoch of the last promotion, 0 where there was none. */
  get epoch(): number {
    return this.epochValue;
  }

  /** Sessions that are open. */
  get sessionCount(): number {
    return this.sessions.size;
  }

  /** Forgets everything and starts from a whole snapshot. */
  reset(position: number, records: Iterable<StateRecord>): void {
    this.sessions.clear();
    this.offline.clear();
    this.keys.clear();
    this.registrations.clear();
    this.promotions.clear();
    this.floor = this.epochValue = this.moment = 0;
    this.reached = position;
    for (const record of records) this.set(record);
  }

  /**
   * Takes in one record of a snapshot; what was known of the same session, openid, key or upstream is
   * replaced. Entries about sessions that no record told of yet are passed over, so that the records
   * of one snapshot may stand between the batches of several turns.
   */
  set(record: StateRecord): void {
    const { header, session, offlinePush, key, registration, promotion } = record;
    if (header) {
      this.floor = Math.max(this.floor, header.numberFloor ?? 0);
      this.epochValue = Math.max(this.epochValue, header.epoch ?? 0);
      this.moment = Math.max(this.moment, header.wallTime ?? 0);
    }
    if (session) {
      const state = new SessionState(session);
      this.sessions.set(state.handle, new SessionImage(state));
    }
    if (offlinePush) this.offline.set(offlinePush, this.moment);
    if (key) this.remember(key);
    if (registration) this.register(registration);
    if (promotion) this.promotions.note(promotionOf(promotion, promotion.position ?? 0));
  }

  /**
   * @throws {CodedError} JOURNAL_GAP; JOURNAL_DAMAGED where the batch cannot be read, or has an entry of a kind that
   *   only later versions know. Nothing of it is taken.
   */
  apply(batch: JournalBatch): void {
    if (batch.first !== this.reached + 1) {
      const gap = `entry ${batch.first} came where ${this.reached + 1} was due`;
      throw new CodedError('JOURNAL_GAP', gap);
    }
    for (const entry of entriesOf(batch)) {
      this.take(entry, this.reached + 1);
      this.reached++;
    }
  }

  /** Everything as a snapshot, for SessionArchive.restore and ZoneRouter.restore. */
  *records(): IterableIterator<StateRecord> {
    const { floor: numberFloor, epochValue: epoch, moment: wallTime } = this;
    yield new StateRecord({ header: { version: STATE_VERSION, numberFloor, epoch, wallTime } });
    for (const session of this.sessions.values()) {
      yield new StateRecord({ session: session.snapshot() });
    }
    for (const offlinePush of this.offline.records(this.moment)) {
      yield new StateRecord({ offlinePush });
    }
    for (const [key, { digest, plainDigest, expiresAt }] of this.keys) {
      const ttl = expiresAt - this.moment;
      if (ttl > 0) yield new StateRecord({ key: { key, digest, plainDigest, ttl } });
    }
    for (const registration of this.registrations.values()) yield new StateRecord({ registration });
    yield* this.promotions.records();
  }

  private take(entry: JournalEntry, position: number): void {
    if (entry.frame) {
      const { frame } = entry;
      if (frame.frame) this.session(frame.session)?.frame(frame, position);
      this.rememberIfAny(frame.key);
    } else if (entry.acknowledged) {
      this.session(entry.acknowledged.session)?.acknowledged(entry.acknowledged.seq ?? 0);
    } else if (entry.seen) {
      const { session, msgId, clientSeq, skippedFrom, request } = entry.seen;
      this.session(session)?.seen(msgId ?? 0, clientSeq ?? 0, skippedFrom ?? 0, request ?? null);
    } else if (entry.bound) {
      const { session, clientSeq, body, key } = entry.bound;
      if (body) this.session(session)?.bound(clientSeq ?? 0, body);
      this.rememberIfAny(key);
    } else if (entry.held) {
      const { session, body, key } = entry.held;
      if (body) this.session(session)?.hold(body);
      this.rememberIfAny(key);
    } else if (entry.loggedIn) {
      this.session(entry.loggedIn.session)?.loggedIn();
    } else {
      this.takeRare(entry, position);
    }
  }

  private takeRare(entry: JournalEntry, position: number): void {
    if (entry.opened?.session) {
      const state = new SessionState(entry.opened.session);
      this.sessions.set(state.handle, new SessionImage(state));
    } else if (entry.ended) {
      this.sessions.delete(entry.ended.session ?? 0);
      this.floor = Math.max(this.floor, entry.ended.numberFloor ?? 0);
    } else if (entry.offlineAdded) {
      const { openid, body, ttl, key, moved } = entry.offlineAdded;
      const expiresAt = this.moment + (ttl ?? 0);
      if (body) this.offline.add(openid ?? '', body, expiresAt, position, moved ?? false);
      this.rememberIfAny(key);
    } else if (entry.offlineRemoved) {
      this.offline.remove(entry.offlineRemoved.openid ?? '', entry.offlineRemoved.count ?? 0);
    } else if (entry.registered) {
      this.register(entry.registered);
    } else if (entry.deregistered) {
      this.registrations.delete(entry.deregistered.address ?? '');
    } else if (entry.promoted) {
      this.epochValue = entry.promoted.epoch ?? 0;
      this.promotions.note(promotionOf(entry.promoted, position));
    } else if (entry.key) {
      this.remember(entry.key);
    } else if (entry.moment) {
      this.moment = entry.moment.wallTime ?? 0;
    }
  }

  private session(handle: number | null | undefined): SessionImage | undefined {
    return this.sessions.get(handle ?? 0);
  }

  private register(registration: Registration): void {
    this.registrations.set(registration.address ?? '', registration);
  }

  private rememberIfAny(key: Key | null | undefined): void {
    if (key) this.remember(key);
  }

  private remember({ key, digest, plainDigest, ttl }: Key): void {
    if (!key) return;
    const expiresAt = this.moment + (ttl ?? 0);
    // In order of expiry, also where a snapshot tells of a key that entries told of before it.
    this.keys.delete(key);
    this.keys.set(key, { digest: digest ?? '', plainDigest: plainDigest ?? '', expiresAt });
    for (const [oldest, entry] of this.keys) {
      if (entry.expiresAt > this.moment && this.keys.size <= MAX_KEYS) return;
      this.keys.delete(oldest);
    }
  }
}

function promotionOf(
  { epoch, id, forgot }: Omit<PromotionFields, 'position'>,
  position: number,
): Promotion {
  return { epoch: epoch ?? 0, id: id ?? 0, forgot: forgot ?? false, position };
}

function entriesOf(batch: JournalBatch): JournalEntry[] {
  try {
    const reader = new EntryReader(batch.bytes);
    const entries: JournalEntry[] = [];
    for (let bytes = reader.next(); bytes !== null; bytes = reader.next()) {
      const entry = decodeMessage(JournalEntry, bytes);
      // Passed over it would be missing, and nobody would know.
      if (!isKnown(entry)) break;
      entries.push(entry);
    }
    if (entries.length === batch.count) return entries;
  } catch {
    // Told below.
  }
  const first = `the batch that begins with entry ${batch.first}`;
  throw new CodedError('JOURNAL_DAMAGED', `${first} cannot be read`);
}

function isKnown(entry: JournalEntry): boolean {
  // The frequent ones are found without a look at all there are.
  return !!(entry.frame ?? entry.acknowledged ?? entry.seen) || entry.entry !== undefined;
}
