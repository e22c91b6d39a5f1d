import { messageOf } from '../../base/errors.js';
import type { ServerPush } from '../../wire/messages.js';
import { LatencyRecorder } from './latency-recorder.js';
import type { LoadSession } from './load-session.js';
import { fillPayload } from './payload.js';
import type { PushGateway } from './push-gateway.js';
import { benchData } from './push-workload.js';
import { VerifiedWorkload } from './verified-workload.js';
import type { Arrival, Extent, LoopResult } from './work-loop.js';

export interface BroadcastOptions {
  /** Size of a broadcast's data. */
  readonly bytes: number;
  /** To every session of the gateway, those of others too; else to the sessions of the bench. */
  readonly everyone: boolean;
  /** Broadcasts under way; 1 by default. */
  readonly atOnce?: number;
  /** A broadcast is under way until every session has received it, or only until the gateway answered. Default: received. */
  readonly until?: 'received' | 'answered';
}

/** Broadcasts that were answered and are not received: what clients must be able to hold in order. */
const MOST_UNRECEIVED = 64;

interface OpenBroadcast {
  readonly data: Buffer;
  readonly dueAt: number;
  readonly begunAt: number;
  /** Who has not received it yet. */
  readonly missing: Set<LoadSession>;
  accepted: boolean;
}

/**
 * Broadcasts, one after the other or some at once: the next begins when every session has received the oldest, or the
 * gateway has answered. Each must come once, in order and with its own bytes. The time is that until a session received it,
 * one value per session.
 */
export class BroadcastWorkload extends VerifiedWorkload {
  /** Until the gateway answered how many sessions it reached. */
  readonly acceptance = new LatencyRecorder();
  private readonly atOnce: number;
  private readonly most: number;
  /** Oldest first. */
  private readonly open: OpenBroadcast[] = [];
  private next = 1;

  constructor(
    private readonly sessions: readonly LoadSession[],
    private readonly gateway: PushGateway,
    private readonly options: BroadcastOptions,
  ) {
    super(true);
    this.atOnce = options.atOnce ?? 1;
    this.most = options.until === 'answered' ? MOST_UNRECEIVED : this.atOnce;
  }

  /** Receptions in the present run. */
  get deliveries(): number {
    return this.rightCount;
  }

  override run(arrival: Arrival, extent: Extent): Promise<LoopResult> {
    this.acceptance.reset();
    return super.run(arrival, extent);
  }

  verified(): string {
    return `${this.rightCount} receptions, each once, in order, compared byte for byte`;
  }

  onPush(session: LoadSession, push: ServerPush): void {
    const data = benchData(push);
    if (data === null) return;
    const open = this.open.find(({ missing }) => missing.has(session));
    if (open === undefined) return this.onFault(session, 'a broadcast came twice');
    open.missing.delete(session);
    if (!open.data.equals(data)) {
      return this.onFault(session, 'a broadcast out of order, or with wrong bytes');
    }
    this.verify();
    this.timings.record(open.dueAt, open.begunAt);
    this.settle(open);
  }

  onAnswer(session: LoadSession): void {
    this.onFault(session, 'an answer to no request');
  }

  protected lost(): string {
    return `a broadcast did not reach ${this.open[0]?.missing.size ?? 0} sessions`;
  }

  protected begin(dueAt: number): boolean {
    const unanswered = this.open.filter(({ accepted }) => !accepted).length;
    if (this.open.length >= this.most || unanswered >= this.atOnce) return false;
    const data = Buffer.alloc(this.options.bytes);
    fillPayload(data, this.next++);
    const [missing, begunAt] = [new Set(this.sessions), performance.now()];
    const open: OpenBroadcast = { data, dueAt, begunAt, missing, accepted: false };
    this.open.push(open);
    const ids = this.options.everyone ? null : this.sessions.map(({ sessionId }) => sessionId);
    this.gateway.broadcast(ids, data).then(
      (sent) => this.accepted(open, sent),
      (error: unknown) => this.faults.note(messageOf(error)),
    );
    return true;
  }

  private accepted(open: OpenBroadcast, sent: number): void {
    this.acceptance.record(performance.now() - open.begunAt);
    if (sent < this.sessions.length) {
      this.faults.note(`a broadcast was sent to ${sent} of ${this.sessions.length} sessions`);
    }
    open.accepted = true;
    this.settle(open);
    this.roomFreed();
  }

  private settle(open: OpenBroadcast): void {
    if (!open.accepted || open.missing.size > 0) return;
    this.open.splice(this.open.indexOf(open), 1);
    this.pieceDone();
  }
}
