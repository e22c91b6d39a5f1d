import type { Cancel } from '../base/clock.js';
import { ProcessCall } from '../upstream/process-call.js';
import type { FailureKind } from '../upstream/process-call.js';
import { encodeRequest } from '../upstream/request-codec.js';
import type { UpstreamResponse } from '../wire/messages.js';
import type { RoutedRequest } from './router.js';
import type { UpstreamInstance } from './upstream-instance.js';

const NONE: readonly UpstreamInstance[] = [];

/** What a request tells its route. */
export interface RequestOwner {
  /** It waited in line, and may be sent now. */
  onTurn(pending: DispatchedRequest): void;
  onAnswer(pending: DispatchedRequest, response: UpstreamResponse): void;
  onFailure(pending: DispatchedRequest, kind: FailureKind, reason: string): void;
}

/** One business request from dispatch to outcome; the only object that routing makes for it. */
export class DispatchedRequest extends ProcessCall {
  /** Where it was sent last. */
  instance: UpstreamInstance | null = null;
  /** The route's epoch when it was sent. */
  epoch = 0;
  /** Clock time when it was sent last, ms. */
  sentAt = 0;
  /** Instances that it surely was not sent to. */
  tried: readonly UpstreamInstance[] = NONE;
  /** Ends the watch over how long it waits for a connection; null where it waits for none. */
  unwatch: Cancel | null = null;
  /** Owned by the instance's book of calls. */
  place = -1;

  /** @param deadline clock time by which it must be answered, ms. */
  constructor(
    private readonly owner: RequestOwner,
    readonly request: RoutedRequest,
    readonly deadline: number,
  ) {
    super(encodeRequest(request), request.sessionId, request.clientSeqId);
  }

  /** The line that it waited in lets it go. */
  takeTurn(): void {
    this.owner.onTurn(this);
  }

  /** Sends it; the outcome comes later. */
  sendTo(instance: UpstreamInstance, now: number): void {
    this.instance = instance;
    this.sentAt = now;
    instance.calls.add(this);
    this.send(instance.client, this.deadline - now);
  }

  protected answered(response: UpstreamResponse): void {
    this.leave();
    this.owner.onAnswer(this, response);
  }

  protected failed(kind: FailureKind, reason: string): void {
    this.leave();
    this.owner.onFailure(this, kind, reason);
  }

  private leave(): void {
    this.instance?.calls.remove(this);
    this.unwatch?.();
    this.unwatch = null;
  }
}
