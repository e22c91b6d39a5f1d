import { messageOf } from '../../base/errors.js';
import type { ServerPush } from '../../wire/messages.js';
import { LatencyRecorder } from './latency-recorder.js';
import type { LoadSession } from './load-session.js';
import { fillPayload } from './payload.js';
import type { PushGateway } from './push-gateway.js';
import { benchData } from './push-workload.js';
import type { Timings } from './timings.js';
import { VerifiedRuns } from './verified-runs.js';
import type { Workload } from './workload.js';
import type { Arrival, Extent, LoopResult } from './work-loop.js';

export interface BroadcastOptions {
  /** Size of a broadcast's data. */
  readonly bytes: number;
  /** To every session of the gateway, those of others too; else to the sessions of the bench. */
  readonly everyone: boolean;
}

interface OpenBroadcast {
  readonly number: number;
  readonly dueAt: number;
  readonly begunAt: number;
  /** Who has not received it yet. */
  readonly missing: Set<LoadSession>;
  accepted: boolean;
}

/**
 * Broadcasts, one after the other: the next begins when every session has received the last, once and
 * with its own bytes. The time is that until a session received it, one value per session.
 */
export class BroadcastWorkload implements Workload {
  /** Until the gateway answered how many sessions it reached. */
  readonly acceptance = new LatencyRecorder();
  private readonly runs = new VerifiedRuns({
    begin: (dueAt) => this.broadcast(dueAt),
    lost: () => `a broadcast did not reach ${this.open?.missing.size ?? 0} sessions`,
    mayRepeat: true,
  });
  private readonly expected: Buffer;
  private open: OpenBroadcast | null = null;
  private next = 1;

  constructor(
    private readonly sessions: readonly LoadSession[],
    private readonly gateway: PushGateway,
    private readonly options: BroadcastOptions,
  ) {
    this.expected = Buffer.alloc(options.bytes);
  }

  get timings(): Timings {
    return this.runs.timings;
  }

  get share(): number {
    return this.runs.share;
  }

  get done(): number {
    return this.runs.done;
  }

  /** Receptions in the present run. */
  get deliveries(): number {
    return this.runs.verified;
  }

  run(arrival: Arrival, extent: Extent): Promise<LoopResult> {
    this.acceptance.reset();
    return this.runs.run(arrival, extent);
  }

  verified(): string {
    return `${this.runs.verified} receptions, each once, in order, compared byte for byte`;
  }

  onPush(session: LoadSession, push: ServerPush): void {
    const data = benchData(push);
    if (data === null) return;
    const { open } = this;
    if (open === null || !open.missing.delete(session)) {
      return this.onFault(session, 'a broadcast came twice, or out of order');
    }
    if (!this.expected.equals(data)) return this.onFault(session, 'a broadcast with wrong bytes');
    this.runs.verify();
    this.runs.timings.record(open.dueAt, open.begunAt);
    this.settle(open);
  }

  onAnswer(session: LoadSession): void {
    this.onFault(session, 'an answer to no request');
  }

  onFault(session: LoadSession, reason: string): void {
    this.runs.fault(session, reason);
  }

  private broadcast(dueAt: number): boolean {
    if (this.open !== null) return false;
    const [number, begunAt] = [this.next++, performance.now()];
    const missing = new Set(this.sessions);
    const open: OpenBroadcast = { number, dueAt, begunAt, missing, accepted: false };
    this.open = open;
    fillPayload(this.expected, number);
    const ids = this.options.everyone ? null : this.sessions.map(({ sessionId }) => sessionId);
    this.gateway.broadcast(ids, Buffer.from(this.expected)).then(
      (sent) => this.accepted(open, sent),
      (error: unknown) => this.runs.faults.note(messageOf(error)),
    );
    return true;
  }

  private accepted(open: OpenBroadcast, sent: number): void {
    this.acceptance.record(performance.now() - open.begunAt);
    if (sent < this.sessions.length) {
      this.runs.faults.note(`a broadcast was sent to ${sent} of ${this.sessions.length} sessions`);
    }
    open.accepted = true;
    this.settle(open);
  }

  private settle(open: OpenBroadcast): void {
    if (!open.accepted || open.missing.size > 0) return;
    this.open = null;
    this.runs.pieceDone();
  }
}
