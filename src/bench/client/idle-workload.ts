import { FaultBook } from './fault-book.js';
import { beatInTurn } from './heartbeats.js';
import type { LoadSession } from './load-session.js';
import { Timings } from './timings.js';
import type { Workload } from './workload.js';
import type { Arrival, Extent, LoopResult } from './work-loop.js';

/** The roll call at the end: every session once within this time, ms. */
const ROLL_CALL_MS = 500;

/** How long the last heartbeats may take to be answered, ms. */
const PATIENCE_MS = 5_000;
const POLL_MS = 10;

/** A heartbeat that awaits its answer: the timestamp it bears, and when it was due and sent. */
interface Open {
  readonly stamp: number;
  readonly dueAt: number;
  readonly begunAt: number;
}

/**
 * Sessions that are only held: each sends a heartbeat every so often, and one more at the end. Every
 * one must be answered with its own timestamp, and no session may end.
 */
export class IdleWorkload implements Workload {
  readonly timings = new Timings();
  /** Sessions that ended although nobody wanted it. */
  disconnects = 0;
  private readonly faults = new FaultBook();
  private readonly open = new Map<LoadSession, Open>();
  private startedAt = 0;
  private holdMs = 1;
  private sent = 0;
  private answered = 0;

  /** @param everyMs how often each session sends a heartbeat. */
  constructor(
    private readonly sessions: readonly LoadSession[],
    private readonly everyMs: number,
  ) {}

  get share(): number {
    return Math.min(1, (performance.now() - this.startedAt) / this.holdMs);
  }

  get done(): number {
    return this.answered;
  }

  async run(_arrival: Arrival, extent: Extent): Promise<LoopResult> {
    if (!('ms' in extent)) throw new RangeError('sessions are held for a time');
    this.faults.check();
    this.startedAt = performance.now();
    this.holdMs = extent.ms;
    await beatInTurn(this.sessions, this.everyMs, extent.ms, this.beat);
    await this.answersCame();
    await beatInTurn(this.sessions, ROLL_CALL_MS, ROLL_CALL_MS, this.beat);
    await this.answersCame();
    for (const { openid } of this.open.keys()) {
      this.faults.note('a heartbeat without an answer', openid);
    }
    this.faults.check();
    return { done: this.answered, elapsedMs: performance.now() - this.startedAt };
  }

  verified(): string {
    return `${this.sessions.length} sessions held, ${this.answered} of ${this.sent} heartbeats answered`;
  }

  onHeartbeat(session: LoadSession, sentAt: number): void {
    const open = this.open.get(session);
    if (open?.stamp !== sentAt) return this.onFault(session, 'a heartbeat with a wrong answer');
    this.open.delete(session);
    this.answered++;
    this.timings.record(open.dueAt, open.begunAt);
  }

  onAnswer(session: LoadSession): void {
    this.onFault(session, 'an answer to no request');
  }

  onFault(session: LoadSession, reason: string): void {
    if (session.ended) {
      this.disconnects++;
      this.open.delete(session);
    }
    this.faults.note(reason, session.openid);
  }

  private readonly beat = (session: LoadSession, dueAt: number): void => {
    if (session.ended) return;
    if (this.open.has(session)) return this.onFault(session, 'a heartbeat without an answer');
    this.sent++;
    const stamp = Date.now();
    this.open.set(session, { stamp, dueAt, begunAt: performance.now() });
    session.heartbeat(stamp);
  };

  private async answersCame(): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS;
    while (this.open.size > 0 && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }
}
