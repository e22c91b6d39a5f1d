import { RingQueue } from '../../base/ring-queue.js';
import { messageOf } from '../../base/errors.js';
import { BusinessResponse, decodeMessage } from '../../wire/messages.js';
import type { ServerPush } from '../../wire/messages.js';
import { LatencyRecorder } from './latency-recorder.js';
import type { LoadSession } from './load-session.js';
import { fillPayload } from './payload.js';
import { BENCH_PUSH } from './push-gateway.js';
import type { PushGateway } from './push-gateway.js';
import { VerifiedWorkload } from './verified-workload.js';
import type { Piece } from './workload.js';
import type { Arrival, Extent, LoopResult } from './work-loop.js';

export interface PushOptions {
  /** Size of a push's data. */
  readonly bytes: number;
  /** Pushes under way at once; a session never has more than one, so that their order is known. */
  readonly inFlight: number;
}

interface OpenPush extends Piece {
  accepted: boolean;
  received: boolean;
}

/** The data of a push that a bench sent, or null where it is anybody else's. */
export function benchData(push: ServerPush): Uint8Array | null {
  const { message, data } = decodeMessage(BusinessResponse, push.payload);
  return message.startsWith(`[${BENCH_PUSH}]`) ? data : null;
}

/**
 * Pushes through the gateway's gRPC side to sessions in turn. Each must be accepted, and received
 * once, in order, with its own bytes. The time is that until it was received.
 */
export class PushWorkload extends VerifiedWorkload {
  /** Until the gateway answered for the delivery. */
  readonly acceptance = new LatencyRecorder();
  private readonly free = new RingQueue<LoadSession>();
  private readonly open = new Map<LoadSession, OpenPush>();
  private readonly expected: Buffer;
  private next = 1;

  constructor(
    private readonly sessions: readonly LoadSession[],
    private readonly gateway: PushGateway,
    private readonly options: PushOptions,
  ) {
    super(true);
    this.expected = Buffer.alloc(options.bytes);
  }

  override run(arrival: Arrival, extent: Extent): Promise<LoopResult> {
    this.acceptance.reset();
    if (this.free.length === 0) for (const session of this.sessions) this.free.push(session);
    return super.run(arrival, extent);
  }

  verified(): string {
    return `${this.rightCount} pushes, each received once, in order, compared byte for byte`;
  }

  onPush(session: LoadSession, push: ServerPush): void {
    const data = benchData(push);
    if (data === null) return;
    const piece = this.open.get(session);
    if (piece === undefined || piece.received) {
      return this.onFault(session, 'a push that was not under way: it came twice, or out of order');
    }
    fillPayload(this.expected, piece.number);
    if (!this.expected.equals(data)) return this.onFault(session, 'a push with wrong bytes');
    piece.received = true;
    this.verify();
    this.timings.record(piece.dueAt, piece.begunAt);
    this.settle(piece);
  }

  onAnswer(session: LoadSession): void {
    this.onFault(session, 'an answer to no request');
  }

  protected lost(pieces: number): string {
    return `${pieces} pushes did not arrive`;
  }

  protected begin(dueAt: number): boolean {
    if (this.open.size >= this.options.inFlight) return false;
    const session = this.free.shift();
    if (session === undefined) return false;
    const [number, begunAt] = [this.next++, performance.now()];
    const piece = { session, number, dueAt, begunAt, accepted: false, received: false };
    this.open.set(session, piece);
    const data = Buffer.allocUnsafe(this.options.bytes);
    fillPayload(data, number);
    this.gateway.push(session.openid, data).then(
      () => {
        this.acceptance.record(performance.now() - begunAt);
        piece.accepted = true;
        this.settle(piece);
      },
      (error: unknown) => this.onFault(session, messageOf(error)),
    );
    return true;
  }

  private settle(piece: OpenPush): void {
    if (!piece.accepted || !piece.received) return;
    this.open.delete(piece.session);
    this.free.push(piece.session);
    this.pieceDone();
  }
}
