import type { Clock } from '../base/clock.js';
import type { KeptRequest, SessionState, StateRecord } from '../wire/messages.js';
import { EntryBuffer } from './entry-buffer.js';
import type { EntryProperties } from './entry-buffer.js';
import { JournalTime } from './journal-time.js';
import type { JournalBatch, JournalSink, JournalSource } from './journal.js';
import type { Promotion } from './promotions.js';
import { Threshold } from './threshold.js';
import type { WaitFailure } from './threshold.js';

/** How far times to live may be off: a Moment is written when the last one is older, ms. */
const MOMENT_MS = 1_000;

/** Above this a batch does not wait for the end of its turn: a broadcast must not fill the memory. */
const RELIEF_BYTES = 4 * 1024 * 1024;

/**
 * Pushes that wait for `settled` at once; at some 200 bytes each. Above it pushes are refused: whoever
 * should confirm has fallen far behind.
 */
const MAX_UNSETTLED = 100_000;

const TOO_MANY_UNSETTLED: WaitFailure = {
  pushError: 'REPLICATION_LAG',
  reason: 'too many pushes wait to be kept safe',
};

/** The idempotency key of a push. */
export interface PushKey {
  readonly key: string;
  readonly digest: string;
  /** What `digest` would be for the openid and bound to nothing; empty where it is that. */
  readonly plainDigest: string;
  /** Milliseconds. */
  readonly ttl: number;
}

/** A frame of an outbox. */
interface JournalledFrame {
  readonly msgId: number;
  readonly clientSeq: number;
  readonly frame: Uint8Array;
  /** A push that an earlier entry told of. */
  readonly moved: boolean;
}

/** A registered upstream as the journal keeps it (RegistrationState). */
export interface JournalledRegistration {
  readonly address: string;
  readonly zone: string;
  readonly serviceName: string;
  readonly capabilities: readonly string[];
  readonly hostFromCaller: boolean;
}

/**
 * Writes down what sessions and routing do. Entries gather in one buffer and leave at the end of the
 * event-loop turn, in one batch for all sinks. The order that makes restarts lose nothing: a batch
 * leaves before anything that its turn sends (`flush` is called before sockets are written to).
 *
 * Methods that write an entry return its position.
 */
export class JournalWriter implements JournalSource {
  /** A sequenced frame goes to its client, and a request to its upstream, only up to here. */
  readonly deliverable = new Threshold();
  /** success=true is said to upstreams only up to here. */
  readonly settled = new Threshold();
  readonly time: JournalTime;
  private buffer = new EntryBuffer();
  private spare: EntryBuffer | null = new EntryBuffer();
  private readonly sinks = new Set<JournalSink>();
  private readonly obstacles = new Set<WaitFailure>();
  private source: () => Iterable<StateRecord> = () => [];
  private last: number;
  private count = 0;
  private momentAt = -Infinity;
  private scheduled = false;
  private hastened = false;
  private readonly runScheduled = (): void => {
    this.scheduled = false;
    this.flush();
  };
  private readonly runHastened = (): void => {
    this.hastened = false;
    this.flush();
  };

  /**
   * @param position of the last entry of the journal that this one continues.
   * @param soon runs a function when the present turn is over.
   */
  constructor(
    private readonly clock: Clock,
    position = 0,
    private readonly soon: (run: () => void) => void = (run) => void setImmediate(run),
  ) {
    this.last = position;
    this.time = new JournalTime(clock);
  }

  /** Names what snapshots are taken of. */
  describe(source: () => Iterable<StateRecord>): void {
    this.source = source;
  }

  /** Goes on behind this position; for a journal that has written nothing yet. */
  continueFrom(position: number): void {
    if (position > this.last) this.last = position;
  }

  /** Another history takes the place of what was written here, which goes nowhere any more. */
  resumeAt(position: number): void {
    this.buffer.clear();
    this.count = 0;
    this.last = position;
    this.momentAt = -Infinity;
  }

  /** Passes on what another gateway wrote, which follows what is here. */
  relay(batch: JournalBatch): void {
    this.last = batch.first + batch.count - 1;
    for (const sink of this.sinks) sink.take(batch);
  }

  /** Position of the newest entry, whether a batch has carried it or not. */
  get newest(): number {
    return this.last;
  }

  /** As JournalSource says; what waits for the end of the turn leaves first. */
  get position(): number {
    this.flush();
    return this.last;
  }

  snapshot(): Iterable<StateRecord> {
    this.flush();
    return this.source();
  }

  attach(sink: JournalSink): () => void {
    this.flush();
    this.sinks.add(sink);
    return () => void this.sinks.delete(sink);
  }

  /** Why nothing new is taken in (pushes are refused, requests answered 503), or null. */
  get obstacle(): WaitFailure | null {
    for (const obstacle of this.obstacles) return obstacle;
    return this.settled.length >= MAX_UNSETTLED ? TOO_MANY_UNSETTLED : null;
  }

  /** Refuses everything new until the function returned is called. */
  obstruct(obstacle: WaitFailure): () => void {
    const own = { ...obstacle };
    this.obstacles.add(own);
    return () => void this.obstacles.delete(own);
  }

  frame(session: number, entry: JournalledFrame, key: PushKey | null): number {
    const { msgId, clientSeq, frame, moved } = entry;
    if (key !== null || moved) {
      return this.write({ frame: { session, msgId, clientSeq, frame, key, moved } });
    }
    this.begin();
    this.buffer.frame(session, msgId, clientSeq, frame);
    return this.written();
  }

  acknowledged(session: number, seq: number): number {
    this.begin();
    this.buffer.acknowledged(session, seq);
    return this.written();
  }

  /**
   * A request's number is consumed. It leaves with the present call stack at the latest, and thus
   * before any byte of the request: what an upstream was asked must not be forgotten.
   * @param skippedFrom the first number that it jumped over, or 0.
   * @param request what it asks, where it may be asked again.
   */
  seen(
    session: number,
    msgId: number,
    clientSeq: number,
    skippedFrom: number,
    request: KeptRequest | null = null,
  ): number {
    this.begin();
    if (request === null) this.buffer.seen(session, msgId, clientSeq, skippedFrom);
    else this.buffer.entry({ seen: { session, msgId, clientSeq, skippedFrom, request } });
    if (!this.hastened) {
      this.hastened = true;
      queueMicrotask(this.runHastened);
    }
    return this.written();
  }

  bound(session: number, clientSeq: number, body: Uint8Array, key: PushKey | null): number {
    return this.write({ bound: { session, clientSeq, body, key } });
  }

  held(session: number, body: Uint8Array, key: PushKey | null): number {
    return this.write({ held: { session, body, key } });
  }

  loggedIn(session: number): number {
    return this.write({ loggedIn: { session } });
  }

  opened(session: SessionState): number {
    return this.write({ opened: { session } });
  }

  ended(session: number, numberFloor: number): number {
    return this.write({ ended: { session, numberFloor } });
  }

  /** @param moved an earlier entry told of the push. */
  offlineAdded(
    openid: string,
    body: Uint8Array,
    ttl: number,
    key: PushKey | null,
    moved = false,
  ): number {
    return this.write({ offlineAdded: { openid, body, ttl: Math.ceil(ttl), key, moved } });
  }

  /** The oldest `count` of an openid were taken or ran out of time. */
  offlineRemoved(openid: string, count: number): number {
    return this.write({ offlineRemoved: { openid, count } });
  }

  /** A key of a push that left nothing else behind. */
  key(key: PushKey): number {
    return this.write({ key });
  }

  registered(entry: JournalledRegistration): number {
    return this.write({ registered: { ...entry, capabilities: [...entry.capabilities] } });
  }

  deregistered(address: string): number {
    return this.write({ deregistered: { address } });
  }

  /** This process serves from here on. */
  promoted({ epoch, id, forgot }: Promotion): number {
    return this.write({ promoted: { epoch, id, forgot } });
  }

  /** Between two steps of something long: what has gathered may leave. */
  relieve(): void {
    if (this.buffer.length >= RELIEF_BYTES) this.flush();
  }

  /** Hands what was written to all sinks. Must run before what it tells of is sent anywhere. */
  flush(): void {
    const { count } = this;
    if (count === 0) return;
    const full = this.buffer;
    this.buffer = this.spare ?? new EntryBuffer();
    this.spare = null;
    this.count = 0;
    const batch: JournalBatch = { first: this.last - count + 1, count, bytes: full.view() };
    for (const sink of this.sinks) sink.take(batch);
    full.clear();
    this.spare = full;
  }

  private write(entry: EntryProperties): number {
    this.begin();
    this.buffer.entry(entry);
    return this.written();
  }

  private begin(): void {
    if (this.count > 0) return;
    if (!this.scheduled) {
      this.scheduled = true;
      this.soon(this.runScheduled);
    }
    const now = this.clock.now();
    if (now - this.momentAt < MOMENT_MS) return;
    this.momentAt = now;
    this.buffer.entry({ moment: { wallTime: this.time.now() } });
    this.written();
  }

  private written(): number {
    this.count++;
    return ++this.last;
  }
}
