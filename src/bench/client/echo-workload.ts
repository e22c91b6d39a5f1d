import { RingQueue } from '../../base/ring-queue.js';
import type { LoadSession } from './load-session.js';
import { fillPayload } from './payload.js';
import { VerifiedWorkload } from './verified-workload.js';
import type { Piece } from './workload.js';
import type { Arrival, Extent, LoopResult } from './work-loop.js';

export interface EchoOptions {
  /** What upstreams answer with the data of the request. */
  readonly action: string;
  /** Size of a request's data. */
  readonly bytes: number;
  /** Requests under way per session, at most. */
  readonly inFlight: number;
  /** Requests under way altogether, at most; no limit where it is missing. */
  readonly atMost?: number;
}

/** Numbers 0 and 1 mean a push and the START. */
const FIRST_MESSAGE = 2;
/** msg_id has 32 bits; below it the numbers go round. */
const LAST_MESSAGE = 2 ** 32 - 1;

/**
 * Requests whose answers must be their own data, each compared byte for byte. Sessions take turns; no
 * session ever has more than `inFlight` under way.
 */
export class EchoWorkload extends VerifiedWorkload {
  private readonly free = new RingQueue<LoadSession>();
  private readonly asked = new Map<number, Piece>();
  private readonly expected: Buffer;
  private next = FIRST_MESSAGE;

  constructor(
    private readonly sessions: readonly LoadSession[],
    private readonly options: EchoOptions,
  ) {
    super(false);
    this.expected = Buffer.alloc(options.bytes);
  }

  override run(arrival: Arrival, extent: Extent): Promise<LoopResult> {
    if (this.free.length === 0) this.giveRoom();
    return super.run(arrival, extent);
  }

  verified(): string {
    return `${this.rightCount} answers, each compared byte for byte`;
  }

  onAnswer(session: LoadSession, msgId: number, data: Uint8Array): void {
    const piece = this.asked.get(msgId);
    if (piece?.session !== session) return this.onFault(session, 'an answer to no open request');
    fillPayload(this.expected, msgId);
    if (!this.expected.equals(data)) return this.onFault(session, 'an answer with wrong bytes');
    this.asked.delete(msgId);
    this.verify();
    this.timings.record(piece.dueAt, piece.begunAt);
    this.free.push(session);
    this.pieceDone();
  }

  private giveRoom(): void {
    for (let place = 0; place < this.options.inFlight; place++) {
      for (const session of this.sessions) this.free.push(session);
    }
  }

  protected lost(pieces: number): string {
    return `${pieces} requests without an answer`;
  }

  protected begin(dueAt: number): boolean {
    if (this.asked.size >= (this.options.atMost ?? Infinity)) return false;
    const session = this.free.shift();
    if (session === undefined) return false;
    const number = this.next;
    this.next = number === LAST_MESSAGE ? FIRST_MESSAGE : number + 1;
    const data = Buffer.allocUnsafe(this.options.bytes);
    fillPayload(data, number);
    this.asked.set(number, { session, number, dueAt, begunAt: performance.now() });
    session.request(number, this.options.action, data);
    return true;
  }
}
