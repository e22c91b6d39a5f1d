import { FULL_READ } from '../base/catch-up.js';
import { UNHINDERED } from '../base/turn-pace.js';
import type { TurnPace } from '../base/turn-pace.js';
import type { Timing } from '../telemetry/sampled-stage.js';

/** What takes part in turns: a connection. */
export interface TurnMember {
  /** Owned by the scheduler: whether the member is already among those that deliver next. */
  deliverQueued: boolean;
  /** Owned by the scheduler: whether the member is already among those that flush next. */
  flushQueued: boolean;
  /** First half: hand out what was received. */
  deliver(): void;
  /** Second half: send what was written. */
  flush(): void;
  /** One of the two threw; all others still get their turn. */
  fail(error: unknown): void;
}

/** What turns go by. */
export interface TurnOptions {
  /** Monotonic ms. */
  readonly now: () => number;
  /** Datagrams read so far. Default: none, so that every turn flushes. */
  readonly datagramsRead?: (() => number) | undefined;
  /** How long the second halves of a turn take, for /performance. */
  readonly timing?: Timing | undefined;
  /** Runs before anything is sent; must not throw. */
  readonly beforeFlush?: (() => void) | undefined;
  /** Runs when a turn has sent what it will; must not throw. */
  readonly afterFlush?: (() => void) | undefined;
  readonly pace?: TurnPace | undefined;
}

/**
 * Longest time, ms, that sending waits for the socket to be read empty. Whoever waits behind a queue that
 * long probes again and again: answering each probe before the next is read keeps the queue full for good.
 */
export const MAX_READING_MS = 20;

/**
 * Longest time, ms, that sending keeps the socket from being read. Thousands of members may flush at once, after
 * a broadcast or a pause of garbage collection; what they wait for may be among what waits to be read.
 */
export const MAX_SENDING_MS = 20;

/** Members that flush between two looks at the clock. */
const FLUSHES_PER_LOOK = 32;

/**
 * One turn per iteration of the event loop: every datagram that was read and every frame that was
 * written before it are dealt with together. All members deliver before any flushes, so that what
 * one connection's frame makes others send leaves in the same turn, in as few packets as possible.
 * While reads come in full batches turns deliver only.
 */
export class TurnScheduler {
  private receivers: TurnMember[] = [];
  private senders: TurnMember[] = [];
  private scheduled = false;
  private read = 0;
  private isBehind = false;
  /** Since when nothing was sent because more waited to be read; Infinity where something was. */
  private readingSince = Infinity;
  private readonly now: () => number;
  private readonly datagramsRead: () => number;
  private readonly timing: Timing | null;
  private readonly beforeFlush: () => void;
  private readonly afterFlush: () => void;
  private readonly pace: TurnPace;
  private readonly run = (): void => this.turn();

  constructor(options: TurnOptions) {
    this.now = options.now;
    this.datagramsRead = options.datagramsRead ?? (() => 0);
    this.timing = options.timing ?? null;
    this.beforeFlush = options.beforeFlush ?? (() => undefined);
    this.afterFlush = options.afterFlush ?? (() => undefined);
    this.pace = options.pace ?? UNHINDERED;
  }

  /** Whether the last read took all that it may, so that more waits in the socket. */
  get behind(): boolean {
    return this.isBehind;
  }

  /** Lets a member deliver and flush in the next turn; costs nothing when it will already. */
  addReceiver(member: TurnMember): void {
    if (!member.deliverQueued) {
      member.deliverQueued = true;
      this.receivers.push(member);
    }
    this.addSender(member);
  }

  /** Lets a member flush in the next turn; costs nothing when it will already. */
  addSender(member: TurnMember): void {
    if (!member.flushQueued) {
      member.flushQueued = true;
      this.senders.push(member);
    }
    this.schedule();
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(this.run);
  }

  private turn(): void {
    if (!this.pace.mayRun()) return this.pace.wait(this.run);
    this.deliver();
    if (this.moreWaits()) return void setImmediate(this.run);
    this.readingSince = Infinity;
    this.beforeFlush();
    // What was delivered stays so; everything is flushed once turns may run again.
    if (!this.pace.mayRun()) return this.pace.wait(this.run);
    this.scheduled = false;
    this.flush();
  }

  private deliver(): void {
    const { receivers } = this;
    // Members that are added while delivering still belong to this turn: the loop sees them.
    for (let index = 0; index < receivers.length; index++) {
      const member = receivers[index] as TurnMember;
      try {
        member.deliver();
      } catch (error) {
        member.fail(error);
      }
    }
    for (const member of receivers) member.deliverQueued = false;
    receivers.length = 0;
  }

  /** Whether sending waits for what is still to be read. */
  private moreWaits(): boolean {
    const read = this.datagramsRead();
    this.isBehind = read - this.read >= FULL_READ;
    this.read = read;
    if (!this.isBehind) return false;
    const now = this.now();
    if (this.readingSince === Infinity) this.readingSince = now;
    return now - this.readingSince < MAX_READING_MS;
  }

  private flush(): void {
    const { senders } = this;
    const { length } = senders;
    const end = this.now() + MAX_SENDING_MS;
    let flushed = 0;
    this.timing?.begin();
    while (flushed < length && (flushed % FLUSHES_PER_LOOK !== 0 || this.now() < end)) {
      const member = senders[flushed++] as TurnMember;
      member.flushQueued = false;
      try {
        member.flush();
      } catch (error) {
        member.fail(error);
      }
    }
    this.timing?.end();
    // Those that were added while others flushed belong to the next turn, as those for whom there was no time.
    senders.copyWithin(0, flushed);
    senders.length -= flushed;
    if (senders.length > 0) this.schedule();
    this.afterFlush();
  }
}
