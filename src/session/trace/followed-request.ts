import type { RequestTrace } from './request-trace.js';
import type { UpstreamOutcome } from '../../routing/router.js';
import type { TraceFields } from './trace-event.js';
import type { AwaitedAnswer, Watch } from './watch.js';

/** What is known of a business request when its way begins. */
export interface RequestFacts {
  readonly sessionId: string;
  readonly msgId: number;
  readonly clientSeqId: number;
  readonly action: string;
  /** Monotonic ms when it was understood and its number checked. */
  readonly startedAt: number;
}

/** The way of one request of a client that somebody follows, and what each stage of it took. */
export class FollowedRequest implements RequestTrace, AwaitedAnswer {
  readonly msgId: number;
  private readonly arrivedAt: number;
  private readonly timing: Record<string, number> = {};
  /** Monotonic ms when the stage before the present one ended. */
  private mark: number;
  private attempt = 0;
  private upstream = '';

  constructor(
    private readonly watch: Watch,
    private readonly facts: RequestFacts,
  ) {
    this.msgId = facts.msgId;
    this.arrivedAt = Math.min(watch.frameAt, facts.startedAt);
    this.mark = this.arrivedAt;
    this.ends('decode', facts.startedAt);
    this.ends('admission');
  }

  onSent(address: string, zone: string): void {
    this.ends('queue');
    this.upstream = address;
    this.attempt++;
    this.tell('sent', { upstream: address, zone, attempt: this.attempt });
  }

  onAttemptFailed(kind: string, reason: string): void {
    this.ends('upstream');
    this.tell('attempt_failed', { upstream: this.upstream, kind, reason });
  }

  onOutcome(outcome: UpstreamOutcome): void {
    if (outcome.kind === 'answered') {
      this.ends('upstream');
      this.tell('answered', { code: outcome.response.code, timing_ms: this.times() });
    } else {
      this.tell('failed', {
        code: outcome.code,
        reason: outcome.reason,
        timing_ms: this.times(),
      });
      this.mark = this.watch.clock.now();
    }
  }

  onKept(): void {
    this.ends('encode');
    this.watch.awaitWriting(this);
  }

  /** No upstream was asked. @param reason label of gatesvr_requests_rejected_total. */
  refused(code: number, reason: string): void {
    this.tell('refused', { code, reason, timing_ms: this.times() });
  }

  written(): void {
    this.ends('outbox');
  }

  flushed(unsent: number): void {
    this.ends('flush');
    this.tell('written', { timing_ms: this.times(), unsent_bytes: unsent });
  }

  /** The stage that began at the mark ends. A stage of several parts (attempts) is their sum. */
  private ends(stage: string, now = this.watch.clock.now()): void {
    this.timing[stage] = (this.timing[stage] ?? 0) + (now - this.mark);
    this.mark = now;
  }

  private times(): TraceFields {
    const times: Record<string, number> = {};
    for (const [stage, ms] of Object.entries(this.timing)) times[stage] = microseconds(ms);
    return { ...times, total: microseconds(this.mark - this.arrivedAt) };
  }

  private tell(phase: string, fields: TraceFields): void {
    const { sessionId, msgId, clientSeqId, action } = this.facts;
    const which = { phase, msg_id: msgId, seq: clientSeqId, action };
    this.watch.tell('request', { session: sessionId }, { ...which, ...fields });
  }
}

/** Milliseconds with three decimals. */
function microseconds(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
