import type { ThresholdWaiter, WaitFailure } from '../journal/threshold.js';
import type { RequestTrace } from './trace/request-trace.js';
import type { RoutedRequest, UpstreamOutcome } from '../routing/router.js';
import { ErrorCode } from '../wire/error-catalogue.js';
import type { PushBody } from '../wire/frame-encoder.js';
import type { BusinessRequest, KeptRequest } from '../wire/messages.js';

const NO_BYTES = new Uint8Array(0);
const NOTHING: Record<string, string> = Object.freeze({});

/** Of a request that a former process or gateway took in, and that has no answer. */
export const OUTCOME_UNKNOWN = Object.freeze({
  kind: 'failed',
  code: ErrorCode.UpstreamTimeout,
  reason: 'outcome unknown: the gateway restarted',
} satisfies UpstreamOutcome);

/** The session that a request belongs to, as the request sees it. */
export interface RequestOwner {
  readonly id: string;
  readonly openid: string;
  onOutcome(request: PendingRequest, outcome: UpstreamOutcome): void;
  /** What it waited for has come: it may go to its upstream. */
  release(request: PendingRequest): void;
}

/** A business request that was accepted and has no answer yet. */
export class PendingRequest implements RoutedRequest, ThresholdWaiter {
  readonly action: string;
  params: Record<string, string>;
  data: Uint8Array;
  headers: Record<string, string>;
  /** Pushes bound to follow the answer, in the order they were submitted; null while there are none. */
  after: PushBody[] | null = null;
  /** Who hears how it fares; null where nobody does. */
  trace: RequestTrace | null = null;
  /** What it asks, where it may be asked again after a restart or promotion; null where it may not. */
  kept: KeptRequest | null = null;
  /** It was taken in by a former process or gateway, which may have had it executed. */
  again = false;

  constructor(
    private readonly owner: RequestOwner,
    readonly clientSeqId: number,
    readonly msgId: number,
    readonly startedAt: number,
    business: BusinessRequest,
    headers: Record<string, string>,
  ) {
    this.action = business.action;
    this.params = business.params;
    this.data = business.data;
    this.headers = headers;
  }

  get sessionId(): string {
    return this.owner.id;
  }

  get openid(): string {
    return this.owner.openid;
  }

  onOutcome(outcome: UpstreamOutcome): void {
    // That it could not be asked again says nothing about the first time.
    const unknown = this.again && outcome.kind === 'failed';
    this.owner.onOutcome(this, unknown ? OUTCOME_UNKNOWN : outcome);
  }

  onReached(): void {
    this.owner.release(this);
  }

  /** It was never sent. */
  onFailed({ reason }: WaitFailure): void {
    this.owner.onOutcome(this, { kind: 'failed', code: 503, reason });
  }

  /** Makes the content its own, for the read buffer it came in will be used again. */
  copyContent(): void {
    this.data = Buffer.from(this.data);
  }

  /** Lets go of the request's content once it is on its way: the router keeps its own bytes. */
  releaseContent(): void {
    this.data = NO_BYTES;
    this.params = NOTHING;
    this.headers = NOTHING;
  }
}
