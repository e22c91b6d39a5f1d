import { FULL_READ } from '../base/catch-up.js';
import { RingQueue } from '../base/ring-queue.js';
import type { JournalWriter } from '../journal/journal-writer.js';
import type { LabelledTally } from '../telemetry/tally.js';
import type { PushBody } from '../wire/frame-encoder.js';
import { presentSession } from './audience.js';
import type { Audience } from './audience.js';
import { AT_ONCE } from './push-content.js';
import type { ServingGate } from './serving-gate.js';
import type { Session } from './session.js';
import type { SessionRegistry } from './session-registry.js';
import { SettlingBroadcast } from './settling-push.js';

/**
 * Sessions that are delivered to in one turn of the event loop. Each of them answers with an ACK:
 * handing out more than a turn can read would pile up ACKs in the kernel's buffer, and heartbeats and
 * requests wait behind them. At some 15 us per delivery a turn gets half a millisecond longer.
 */
export const SESSIONS_PER_TURN = FULL_READ;

/**
 * As long as reading is behind. The ACKs would wait longer than clients and we wait for them; both
 * would send again, and that would wait as well, until the kernel's buffers lose most of it: at 20,000
 * sessions nearly nothing else arrived for half a minute. A few, so that broadcasts go on at full load.
 */
export const SESSIONS_PER_CROWDED_TURN = 4;

/** Every outbox gets its own copy, and large frames leave in many packets. One always goes. */
export const BYTES_PER_TURN = 256 * 1024;

/**
 * Broadcasts that have not reached everyone yet. The last of so many to 20,000 sessions would already
 * wait for seconds, longer than callers do.
 */
export const MAX_BROADCASTS = 256;

/** Of all of them together: their bodies, and what remembers whom they name. */
export const MAX_BROADCAST_BYTES = 32 * 1024 * 1024;

/** A reference in an array. */
const BYTES_PER_NAME = 8;

const FULL = 'BROADCAST_QUEUE_FULL: too many broadcasts are under way, try again later';

/** What the event loop does besides. */
export interface FanOutPace {
  /** Runs a function in the next turn of the event loop. Default: setImmediate. */
  readonly soon?: ((run: () => void) => void) | undefined;
  /** Datagrams read from clients so far. Default: none, so that reading is never behind. */
  readonly datagramsRead?: (() => number) | undefined;
}

/** @param sentCount outboxes that took it. */
export type BroadcastDone = (sentCount: number, message: string) => void;

interface Broadcast {
  readonly body: PushBody;
  readonly bytes: number;
  readonly done: BroadcastDone;
  sent: number;
  refused: number;
}

/** Broadcasts to the same sessions, which get all of them at once, in as few packets as possible. */
interface Sweep {
  readonly audience: Audience;
  readonly broadcasts: Broadcast[];
  /** Of all bodies together. */
  bodyBytes: number;
  /** Everyone who was there when it began; null before. */
  recipients: Session[] | null;
  /** How many of them have been delivered to. */
  reached: number;
}

/**
 * Puts broadcasts into outboxes, a few in each turn of the event loop, so that everything else keeps
 * its latency. A broadcast to so few that this turn has room for them is over when `start` returns;
 * others begin with the next turn, so that those that come together travel together.
 *
 * - Every session gets broadcasts in the order in which they came. Those that wait for the same
 *   sessions are delivered together.
 * - A broadcast reaches each openid that has a session when its turn comes, once; where a new
 *   incarnation has taken over meanwhile, in that one. A session that ends meanwhile is left out.
 * - It is answered once every outbox was asked, and what they took is as safe as the journal is asked
 *   to make it. So a push that comes after the answer is behind the broadcast; one that comes before
 *   may be on either side.
 */
export class FanOut {
  private readonly sweeps = new RingQueue<Sweep>();
  private broadcasts = 0;
  private bytes = 0;
  private mostSessions = SESSIONS_PER_TURN;
  private sessionsLeft = SESSIONS_PER_TURN;
  private bytesLeft = BYTES_PER_TURN;
  private scheduled = false;
  private running = false;
  private readonly soon: (run: () => void) => void;
  private readonly datagramsRead: () => number;
  /** How many had been read when the last turn began. */
  private readBefore = 0;
  private readonly onTurn = (): void => {
    this.scheduled = false;
    this.mostSessions = this.isCrowded() ? SESSIONS_PER_CROWDED_TURN : SESSIONS_PER_TURN;
    this.sessionsLeft = this.mostSessions;
    this.bytesLeft = BYTES_PER_TURN;
    this.run();
  };

  constructor(
    private readonly registry: SessionRegistry,
    private readonly outcomes: LabelledTally,
    private readonly journal: JournalWriter | null,
    private readonly serving: ServingGate,
    { soon = (run) => void setImmediate(run), datagramsRead = () => 0 }: FanOutPace,
  ) {
    this.soon = soon;
    this.datagramsRead = datagramsRead;
  }

  /** Broadcasts that have not reached everyone yet. */
  get length(): number {
    return this.broadcasts;
  }

  /** Takes one, or answers at once that too many are under way. */
  start(body: PushBody, audience: Audience, done: BroadcastDone): void {
    const bytes = body.length + audience.namedCount * BYTES_PER_NAME;
    if (this.broadcasts >= MAX_BROADCASTS || this.bytes + bytes > MAX_BROADCAST_BYTES) {
      this.outcomes.add('BROADCAST_QUEUE_FULL');
      return done(0, FULL);
    }
    this.broadcasts++;
    this.bytes += bytes;
    this.enqueue({ body, bytes, done, sent: 0, refused: 0 }, audience);
    const few = audience.mostRecipients(this.registry) <= this.sessionsLeft;
    if (few && this.sweeps.length === 1) this.run();
    else this.goOnLater();
  }

  /** Delivers everything that is under way before it returns: for what must be whole in a snapshot. */
  finish(): void {
    this.sessionsLeft = this.bytesLeft = Infinity;
    this.run();
  }

  /** After a time in which nothing could be numbered: delivers what has waited. */
  goOn(): void {
    if (this.sweeps.length > 0) this.goOnLater();
  }

  /** Delivers nothing more of what is under way, and answers so. */
  breakOff(failure: string): void {
    for (let sweep = this.sweeps.at(0); sweep !== undefined; sweep = this.sweeps.at(0)) {
      this.conclude(sweep, failure);
    }
  }

  private enqueue(broadcast: Broadcast, audience: Audience): void {
    const last = this.sweeps.at(this.sweeps.length - 1);
    const bodyBytes = broadcast.body.length;
    if (last !== undefined && last.recipients === null && last.audience.equals(audience)) {
      last.broadcasts.push(broadcast);
      last.bodyBytes += bodyBytes;
    } else {
      const broadcasts = [broadcast];
      this.sweeps.push({ audience, broadcasts, bodyBytes, recipients: null, reached: 0 });
    }
  }

  private run(): void {
    // Whoever hears an answer may have the next broadcast ready; it takes its turn behind.
    if (this.running || !this.serving.numbers) return;
    this.running = true;
    for (let sweep = this.sweeps.at(0); sweep !== undefined; sweep = this.sweeps.at(0)) {
      if (this.sessionsLeft <= 0 || this.bytesLeft <= 0) break;
      this.deliver(sweep, (sweep.recipients ??= sweep.audience.recipients(this.registry)));
    }
    this.running = false;
    if (this.sessionsLeft < this.mostSessions || this.sweeps.length > 0) this.goOnLater();
  }

  /** Whether as much was read as a turn can, since the last turn with a delivery: after a pause, too. */
  private isCrowded(): boolean {
    const read = this.datagramsRead();
    const crowded = read - this.readBefore >= FULL_READ;
    this.readBefore = read;
    return crowded;
  }

  private goOnLater(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    this.soon(this.onTurn);
  }

  /** As far as this turn allows. */
  private deliver(sweep: Sweep, recipients: readonly Session[]): void {
    const obstacle = this.journal === null ? null : this.journal.obstacle;
    if (obstacle !== null) {
      // Nothing new is to be taken in: who has it has it, but nobody may rely on that.
      this.conclude(sweep, `${obstacle.pushError}: ${obstacle.reason}`);
      return;
    }
    while (sweep.reached < recipients.length && this.sessionsLeft > 0 && this.bytesLeft > 0) {
      const session = presentSession(recipients[sweep.reached++] as Session, this.registry);
      if (session === undefined) continue;
      for (const broadcast of sweep.broadcasts) {
        if (session.push(broadcast.body, AT_ONCE)) broadcast.sent++;
        else broadcast.refused++;
      }
      this.sessionsLeft--;
      this.bytesLeft -= sweep.bodyBytes;
      this.journal?.relieve();
    }
    if (sweep.reached === recipients.length) this.conclude(sweep, null);
  }

  /** @param failure why it was broken off, or null. */
  private conclude(sweep: Sweep, failure: string | null): void {
    this.sweeps.shift();
    for (const broadcast of sweep.broadcasts) {
      this.broadcasts--;
      this.bytes -= broadcast.bytes;
      this.answer(broadcast, failure);
    }
  }

  private answer({ sent, refused, done }: Broadcast, failure: string | null): void {
    this.outcomes.add('accepted', sent);
    if (refused > 0) this.outcomes.add('OUTBOX_FULL', refused);
    if (failure !== null) return done(0, failure);
    const message = refused === 0 ? 'sent' : `sent, ${refused} outboxes were full`;
    const { journal } = this;
    if (journal === null || journal.newest <= journal.settled.position) done(sent, message);
    else
      journal.settled.wait(
        journal.newest,
        new SettlingBroadcast(sent, message, done, this.serving),
      );
  }
}
