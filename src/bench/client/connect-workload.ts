import { RingQueue } from '../../base/ring-queue.js';
import { messageOf } from '../../base/errors.js';
import type { LoadSession } from './load-session.js';
import type { SessionPool } from './session-pool.js';
import { VerifiedWorkload } from './verified-workload.js';

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
export class ConnectWorkload extends VerifiedWorkload {
  private readonly open = new Map<LoadSession, OpenConnect>();
  private readonly free = new RingQueue<string>();
  private underWay = 0;

  constructor(
    private readonly pool: SessionPool,
    private readonly options: ConnectOptions,
  ) {
    super(false);
    for (const openid of options.openids) this.free.push(openid);
  }

  verified(): string {
    return `${this.rightCount} sessions, each started and answered a heartbeat`;
  }

  onHeartbeat(session: LoadSession, sentAt: number): void {
    const open = this.open.get(session);
    if (open?.heartbeat !== sentAt) return this.onFault(session, 'a heartbeat with a wrong answer');
    this.open.delete(session);
    this.verify();
    session.stop();
    this.release(open.openid);
    this.pieceDone();
  }

  onAnswer(session: LoadSession): void {
    this.onFault(session, 'an answer to no request');
  }

  protected lost(pieces: number): string {
    return `${pieces} connects never came to an end`;
  }

  protected begin(dueAt: number): boolean {
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
        const { faults } = this;
        if (faults.empty) faults.note(messageOf(error), openid);
      },
    );
    return true;
  }

  private release(openid: string): void {
    this.underWay--;
    this.free.push(openid);
  }
}
