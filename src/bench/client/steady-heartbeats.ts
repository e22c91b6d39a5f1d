import { RingQueue } from '../../base/ring-queue.js';
import { LatencyRecorder } from './latency-recorder.js';
import type { LoadSession } from './load-session.js';

/** How often it is looked who is due, ms: fine enough that heartbeats neither burst nor wait for it. */
const TICK_MS = 10;

/** An answer that has not come for so long does not come any more, ms. */
const LOST_AFTER_MS = 15_000;

/** A heartbeat that awaits its answer. */
interface Open {
  /** The timestamp it bears. */
  readonly stamp: number;
  /** When it was due, ms of performance.now(). */
  readonly due: number;
}

interface Rhythm {
  readonly session: LoadSession;
  /** When the next one is to be sent, ms of performance.now(). */
  due: number;
  readonly open: RingQueue<Open>;
}

/**
 * Heartbeats as deployed clients send them: each session every so often, counted from its own start,
 * however many others are still connecting.
 */
export class SteadyHeartbeats {
  /** From when a heartbeat was due until its answer came. */
  readonly latencies = new LatencyRecorder();
  /** Heartbeats that went out while the session lived, and those that were answered as they should. */
  sent = 0;
  answered = 0;
  /** The interval is the same for all, so they fall due in the order in which they were added. */
  private readonly queue = new RingQueue<Rhythm>();
  private readonly rhythms = new Map<LoadSession, Rhythm>();
  private readonly timer: NodeJS.Timeout;

  /**
   * @param everyMs the interval.
   * @param onFault hears of an answer that is wrong, and of one that does not come.
   */
  constructor(
    private readonly everyMs: number,
    private readonly onFault: (session: LoadSession, reason: string) => void,
  ) {
    this.timer = setInterval(() => this.sendDue(), TICK_MS);
  }

  /** Heartbeats of living sessions that are not answered. */
  get open(): number {
    let open = 0;
    for (const { session, open: its } of this.rhythms.values()) {
      if (!session.ended) open += its.length;
    }
    return open;
  }

  /**
   * Begins with a session that has just started.
   * @param firstInMs when its first one is due; never before that of a session that was added earlier.
   */
  add(session: LoadSession, firstInMs = this.everyMs): void {
    const due = performance.now() + firstInMs;
    const rhythm = { session, due, open: new RingQueue<Open>() };
    this.rhythms.set(session, rhythm);
    this.queue.push(rhythm);
  }

  /** @param stamp the timestamp that the answer bears. */
  onAnswer(session: LoadSession, stamp: number): void {
    const oldest = this.rhythms.get(session)?.open.shift();
    if (oldest?.stamp !== stamp) return this.onFault(session, 'a heartbeat with a wrong answer');
    this.answered++;
    this.latencies.record(performance.now() - oldest.due);
  }

  /** Sends no more. */
  stop(): void {
    clearInterval(this.timer);
  }

  private sendDue(): void {
    const now = performance.now();
    for (
      let next = this.queue.at(0);
      next !== undefined && next.due <= now;
      next = this.queue.at(0)
    ) {
      this.queue.shift();
      if (next.session.ended) this.rhythms.delete(next.session);
      else this.send(next, now);
    }
  }

  private send(rhythm: Rhythm, now: number): void {
    const { session, due, open } = rhythm;
    if (now - (open.at(0)?.due ?? now) > LOST_AFTER_MS) {
      this.onFault(session, 'a heartbeat without an answer');
    }
    const stamp = Date.now();
    open.push({ stamp, due });
    rhythm.due += this.everyMs;
    this.sent++;
    session.heartbeat(stamp);
    this.queue.push(rhythm);
  }
}
