import { RingQueue } from '../../base/ring-queue.js';
import { messageOf } from '../../base/errors.js';
import { FaultBook } from './fault-book.js';
import type { LoadSession } from './load-session.js';
import type { SessionPool } from './session-pool.js';
import { Timings } from './timings.js';
import type { Workload } from './workload.js';
import { WorkLoop } from './work-loop.js';
import type { Arrival, Extent, LoopResult } from './work-loop.js';

export interface ConnectOptions {
  /** Who connects, again and again. */
  readonly openids: readonly string[];
  /** Connects under way at once. */
  readonly inFlight: number;
}

interface OpenConnect {
  readonly openid: string;
  readonly heartbeat: number;
}

/**
 * A storm of connects: handshake, START, a heartbeat that must be answered with its own timestamp,
 * STOP. The time is that until START was answered.
 */
export class ConnectWorkload implements Workload {
  readonly timings = new Timings();
  private readonly faults = new FaultBook(() => this.loop?.abort());
  private readonly open = new Map<LoadSession, OpenConnect>();
  private readonly free = new RingQueue<string>();
  private loop: WorkLoop | null = null;
  private underWay = 0;
  private proved = 0;

  constructor(
    private readonly pool: SessionPool,
    private readonly options: ConnectOptions,
  ) {
    for (const openid of options.openids) this.free.push(openid);
  }

  get share(): number {
    return this.loop?.share ?? 0;
  }

  get done(): number {
    return this.loop?.done ?? 0;
  }

  async run(arrival: Arrival, extent: Extent): Promise<LoopResult> {
    this.faults.check();
    this.timings.reset();
    this.proved = 0;
    const loop = new WorkLoop(
      arrival,
      (dueAt) => this.begin(dueAt),
      (lost) => this.faults.note(`${lost} connects never came to an end`),
    );
    this.loop = loop;
    const result = await loop.run(extent);
    this.faults.check();
    return result;
  }

  verified(): string {
    return `${this.proved} sessions, each started and answered a heartbeat`;
  }

  onHeartbeat(session: LoadSession, sentAt: number): void {
    const open = this.open.get(session);
    if (open?.heartbeat !== sentAt) return this.onFault(session, 'a heartbeat with a wrong answer');
    this.open.delete(session);
    this.proved++;
    session.stop();
    this.release(open.openid);
    this.loop?.pieceDone();
  }

  onAnswer(session: LoadSession): void {
    this.onFault(session, 'an answer to no request');
  }

  onFault(session: LoadSession, reason: string): void {
    this.faults.note(reason, session.openid);
  }

  private begin(dueAt: number): boolean {
    if (this.underWay >= this.options.inFlight) return false;
    const openid = this.free.shift();
    if (openid === undefined) return false;
    this.underWay++;
    const begunAt = performance.now();
    this.pool.connect(openid, this).then(
      (session) => {
        this.timings.record(dueAt, begunAt);
        const heartbeat = Date.now();
        this.open.set(session, { openid, heartbeat });
        session.heartbeat(heartbeat);
      },
      (error: unknown) => {
        // A refused START was told to onFault already.
        if (this.faults.empty) this.faults.note(messageOf(error), openid);
      },
    );
    return true;
  }

  private release(openid: string): void {
    this.underWay--;
    this.free.push(openid);
  }
}
