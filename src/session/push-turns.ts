import { FULL_READ } from '../base/catch-up.js';
import { RingQueue } from '../base/ring-queue.js';

/**
 * Sessions that are written to in one turn of the event loop. Each of them answers with an ACK:
 * handing out more than a turn can read would pile up ACKs in the kernel's buffer, and heartbeats and
 * requests wait behind them. At some 15 us per delivery a turn gets half a millisecond longer.
 */
export const SESSIONS_PER_TURN = FULL_READ;

/**
 * As long as reading is behind. The ACKs would wait longer than clients and we wait for them; both
 * would send again, and that would wait as well, until the kernel's buffers lose most of it: at 20,000
 * sessions nearly nothing else arrived for half a minute. A few, so that pushes go on at full load.
 */
export const SESSIONS_PER_CROWDED_TURN = 4;

/** Large frames leave in many packets. One session always goes. */
export const BYTES_PER_TURN = 256 * 1024;

/**
 * A session with so many frames unwritten does not wait for its turn: its outbox has limits, and more in one
 * packet hardly makes a frame cheaper.
 */
export const MAX_UNWRITTEN = 16;

/** A session, as far as writing to its Link goes. */
export interface PushReceiver {
  /** Owned by PushTurns: whether it waits for its turn. */
  writeQueued: boolean;
  /** Whether it has a Link to write to. */
  readonly active: boolean;
  /** Frames in the outbox that its present Link was not given. */
  readonly unwritten: number;
  /** @returns how many bytes went to the Link. */
  pump(): number;
}

/** How turns of the event loop go by. */
export interface TurnPlan {
  /** Runs a function in the next turn of the event loop. */
  readonly soon: (run: () => void) => void;
  /** Datagrams read from clients so far. Default: none, so that reading is never behind. */
  readonly datagramsRead?: (() => number) | undefined;
}

/**
 * Writes what pushes have put into outboxes to the Links, some sessions in each turn of the event loop, so that
 * everything else keeps its latency. What comes for a session while it waits leaves together with the rest, in as few
 * packets as possible: the more there is to do, the less each push costs.
 *
 * An answer does not wait for this: whoever pumps a session writes all that is in its outbox, in order.
 */
export class PushTurns {
  private readonly queue = new RingQueue<PushReceiver>();
  private atOnceLeft = SESSIONS_PER_TURN;
  private bytesAtOnceLeft = BYTES_PER_TURN;
  private servedSoFar = 0;
  private scheduled = false;
  /** How many datagrams had been read when the last turn began. */
  private readBefore = 0;
  private readonly soon: (run: () => void) => void;
  private readonly datagramsRead: () => number;
  private readonly onTurn = (): void => this.turn();

  constructor({ soon, datagramsRead = () => 0 }: TurnPlan) {
    this.soon = soon;
    this.datagramsRead = datagramsRead;
  }

  /** Sessions that wait for their turn. */
  get length(): number {
    return this.queue.length;
  }

  /** Sessions that were ever told to wait, and of those the ones whose turn has been: they are served in order. */
  get queued(): number {
    return this.servedSoFar + this.queue.length;
  }

  get served(): number {
    return this.servedSoFar;
  }

  /** Writes at once where this turn has room for that, else in the session's turn. */
  writeSoon(session: PushReceiver): void {
    if (!session.active) return;
    const room = this.atOnceLeft > 0 && this.bytesAtOnceLeft > 0;
    if (!room && session.unwritten < MAX_UNWRITTEN) return this.enqueue(session);
    this.atOnceLeft--;
    this.bytesAtOnceLeft -= session.pump();
    this.schedule();
  }

  /** Writes in the session's turn, behind those that wait already. */
  enqueue(session: PushReceiver): void {
    if (session.writeQueued || !session.active) return;
    session.writeQueued = true;
    this.queue.push(session);
    this.schedule();
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    this.soon(this.onTurn);
  }

  private turn(): void {
    this.scheduled = false;
    this.atOnceLeft = SESSIONS_PER_TURN;
    this.bytesAtOnceLeft = BYTES_PER_TURN;
    let sessionsLeft = this.isCrowded() ? SESSIONS_PER_CROWDED_TURN : SESSIONS_PER_TURN;
    let bytesLeft = BYTES_PER_TURN;
    while (sessionsLeft > 0 && bytesLeft > 0) {
      const session = this.queue.shift();
      if (session === undefined) return;
      session.writeQueued = false;
      this.servedSoFar++;
      const bytes = session.pump();
      if (bytes > 0) sessionsLeft--;
      bytesLeft -= bytes;
    }
    this.schedule();
  }

  /** Whether as much was read as a turn can, since the last turn with a push: after a pause, too. */
  private isCrowded(): boolean {
    const read = this.datagramsRead();
    const crowded = read - this.readBefore >= FULL_READ;
    this.readBefore = read;
    return crowded;
  }
}
