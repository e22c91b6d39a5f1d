import { RingQueue } from '../base/ring-queue.js';
import type { JournalWriter } from '../journal/journal-writer.js';
import type { LabelledTally } from '../telemetry/tally.js';
import type { PushBody } from '../wire/frame-encoder.js';
import { presentSession } from './audience.js';
import type { Audience } from './audience.js';
import { AT_ONCE } from './push-content.js';
import { SESSIONS_PER_TURN } from './push-turns.js';
import type { PushTurns } from './push-turns.js';
import type { ServingGate } from './serving-gate.js';
import type { Session } from './session.js';
import type { SessionRegistry } from './session-registry.js';
import { SettlingBroadcast } from './settling-push.js';

/**
 * Outboxes that broadcasts are put into in one turn of the event loop: about a millisecond. Writing to Links costs
 * ten times that and takes turns of its own (PushTurns).
 */
export const OUTBOXES_PER_TURN = 512;

/** Every outbox gets its own copy. One always goes. */
export const COPIED_BYTES_PER_TURN = 1024 * 1024;

/**
 * Broadcasts that are in all outboxes, and answered, while many of them are not written to the Links. Those that come one
 * after the other, each when the one before was answered, travel together then, at a quarter to a third of the cost. As many for
 * each session as OUTBOX_SHARE allows, one in any case.
 */
export const MAX_AHEAD = 8;

/** Of all outboxes together: bodies of broadcasts that are not written yet. */
export const MAX_AHEAD_BYTES = 32 * 1024 * 1024;

/** A small outbox is for acknowledgements that are on their way, not for what was not even sent. */
const OUTBOX_SHARE = 1 / 16;

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

export interface FanOutParts {
  readonly registry: SessionRegistry;
  /** Pushes by their outcome. */
  readonly outcomes: LabelledTally;
  /** Null where nothing is written down. */
  readonly journal: JournalWriter | null;
  readonly serving: ServingGate;
  /** Frames that a session may hold. */
  readonly outboxMaxFrames: number;
  /** Runs a function in the next turn of the event loop. */
  readonly soon: (run: () => void) => void;
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
  /** How many of them have it in their outbox. */
  reached: number;
}

/** A sweep that is in all outboxes, but not yet on all Links. */
interface Unwritten {
  /** It is, once the turns have served so many sessions. */
  readonly served: number;
  readonly broadcasts: number;
  readonly bytes: number;
}

/**
 * Puts broadcasts into outboxes, some in each turn of the event loop, and leaves it to PushTurns when they are written to
 * the Links. A broadcast to so few that the turn has room for them is over when `start` returns; others begin with
 * the next turn, so that those that come together travel together.
 *
 * - Every session gets broadcasts in the order in which they came. Those that wait for the same
 *   sessions are delivered together.
 * - A broadcast reaches each openid that has a session when its turn comes, once; where a new
 *   incarnation has taken over meanwhile, in that one. A session that ends meanwhile is left out.
 * - It is answered once every outbox was asked, and what they took is as safe as the journal is asked
 *   to make it. So a push that comes after the answer is behind the broadcast; one that comes before
 *   may be on either side.
 * - Only a few that are answered wait to be written (MAX_AHEAD); the next one waits for them, and whoever asked for
 *   it with it.
 */
export class FanOut {
  private readonly sweeps = new RingQueue<Sweep>();
  private broadcasts = 0;
  private bytes = 0;
  private outboxesLeft = OUTBOXES_PER_TURN;
  private bytesLeft = COPIED_BYTES_PER_TURN;
  private scheduled = false;
  private running = false;
  /** In the order in which they will be written. */
  private readonly unwritten = new RingQueue<Unwritten>();
  private readonly mostAhead: number;
  private readonly onTurn = (): void => {
    this.scheduled = false;
    this.outboxesLeft = OUTBOXES_PER_TURN;
    this.bytesLeft = COPIED_BYTES_PER_TURN;
    this.run();
  };

  constructor(
    private readonly turns: PushTurns,
    private readonly parts: FanOutParts,
  ) {
    this.mostAhead = Math.min(MAX_AHEAD, Math.floor(parts.outboxMaxFrames * OUTBOX_SHARE));
  }

  /** Takes one, or answers at once that too many are under way. */
  start(body: PushBody, audience: Audience, done: BroadcastDone): void {
    const bytes = body.length + audience.namedCount * BYTES_PER_NAME;
    if (this.broadcasts >= MAX_BROADCASTS || this.bytes + bytes > MAX_BROADCAST_BYTES) {
      this.parts.outcomes.add('BROADCAST_QUEUE_FULL');
      return done(0, FULL);
    }
    this.broadcasts++;
    this.bytes += bytes;
    this.enqueue({ body, bytes, done, sent: 0, refused: 0 }, audience);
    const few = audience.mostRecipients(this.parts.registry) <= SESSIONS_PER_TURN;
    if (few && this.sweeps.length === 1) this.run();
    else this.goOnLater();
  }

  /** All that is under way is in the outboxes when it returns: for what must be whole in a snapshot. */
  finish(): void {
    this.outboxesLeft = this.bytesLeft = Infinity;
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
    if (this.running || !this.parts.serving.numbers) return;
    this.running = true;
    for (let sweep = this.sweeps.at(0); sweep !== undefined; sweep = this.sweeps.at(0)) {
      if (!this.mayTakeMore() || !this.mayGoAhead(sweep)) break;
      this.deliver(sweep, (sweep.recipients ??= sweep.audience.recipients(this.parts.registry)));
    }
    this.running = false;
    if (this.outboxesLeft < OUTBOXES_PER_TURN || this.sweeps.length > 0) this.goOnLater();
  }

  private goOnLater(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    this.parts.soon(this.onTurn);
  }

  /** Whether a sweep has begun, or may begin, as to what is not written yet. */
  private mayGoAhead({ recipients }: Sweep): boolean {
    const { unwritten } = this;
    while ((unwritten.at(0)?.served ?? Infinity) <= this.turns.served) unwritten.shift();
    if (recipients !== null || unwritten.length === 0 || this.bytesLeft === Infinity) return true;
    let [broadcasts, bytes] = [0, 0];
    for (const sweep of unwritten) {
      broadcasts += sweep.broadcasts;
      bytes += sweep.bytes;
    }
    return broadcasts < this.mostAhead && bytes < MAX_AHEAD_BYTES;
  }

  /** As far as this turn allows. */
  private deliver(sweep: Sweep, recipients: readonly Session[]): void {
    const { journal, registry } = this.parts;
    const obstacle = journal === null ? null : journal.obstacle;
    if (obstacle !== null) {
      // Nothing new is to be taken in: who has it has it, but nobody may rely on that.
      this.conclude(sweep, `${obstacle.pushError}: ${obstacle.reason}`);
      return;
    }
    const few = recipients.length <= SESSIONS_PER_TURN;
    while (sweep.reached < recipients.length && this.mayTakeMore()) {
      const session = presentSession(recipients[sweep.reached++] as Session, registry);
      if (session === undefined) continue;
      for (const broadcast of sweep.broadcasts) {
        if (session.push(broadcast.body, AT_ONCE)) broadcast.sent++;
        else broadcast.refused++;
      }
      if (few) this.turns.writeSoon(session);
      else this.turns.enqueue(session);
      this.outboxesLeft--;
      this.bytesLeft -= sweep.bodyBytes;
      journal?.relieve();
    }
    if (sweep.reached < recipients.length) return;
    this.noteUnwritten(sweep);
    this.conclude(sweep, null);
  }

  /** With a journal, frames are written when it has them, all at once: they must not come faster than turns. */
  private mayTakeMore(): boolean {
    if (this.outboxesLeft === Infinity) return true;
    if (this.parts.journal !== null && this.turns.length >= SESSIONS_PER_TURN) return false;
    return this.outboxesLeft > 0 && this.bytesLeft > 0;
  }

  private noteUnwritten({ broadcasts, bodyBytes, reached }: Sweep): void {
    const bytes = bodyBytes * reached;
    this.unwritten.push({ served: this.turns.queued, broadcasts: broadcasts.length, bytes });
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
    this.parts.outcomes.add('accepted', sent);
    if (refused > 0) this.parts.outcomes.add('OUTBOX_FULL', refused);
    if (failure !== null) return done(0, failure);
    const message = refused === 0 ? 'sent' : `sent, ${refused} outboxes were full`;
    const { journal, serving } = this.parts;
    if (journal === null || journal.newest <= journal.settled.position) done(sent, message);
    else journal.settled.wait(journal.newest, new SettlingBroadcast(sent, message, done, serving));
  }
}
