import type { CallFailure, CallHandle, CallObserver } from '../grpc/unary-caller.js';
import type { RoutedRequest } from './router.js';
import type { UpstreamInstance } from './upstream-instance.js';

/** What a request tells its route. */
export interface RequestOwner {
  onResponse(pending: PendingRequest, bytes: Uint8Array): void;
  onFailure(pending: PendingRequest, failure: CallFailure): void;
}

/** One business request from dispatch to outcome; the only object that routing makes for it. */
export class PendingRequest implements CallObserver {
  /** Where it was sent last. */
  instance: UpstreamInstance | null = null;
  /** The route's epoch when it was sent. */
  epoch = 0;
  /** Clock time when it was sent last, ms. */
  sentAt = 0;
  /** Instances that it surely was not sent to. */
  tried: readonly UpstreamInstance[] = [];
  private call: CallHandle | null = null;

  /** @param deadline clock time by which it must be answered, ms. */
  constructor(
    private readonly owner: RequestOwner,
    readonly request: RoutedRequest,
    readonly bytes: Uint8Array,
    readonly deadline: number,
  ) {}

  /** Sends it; the outcome comes later. */
  sendTo(instance: UpstreamInstance, now: number): void {
    this.instance = instance;
    this.sentAt = now;
    this.call = instance.client.processRequest(this.bytes, this.deadline - now, this);
    instance.calls.add(this.call);
  }

  onResponse(bytes: Uint8Array): void {
    this.leave();
    this.owner.onResponse(this, bytes);
  }

  onFailure(failure: CallFailure): void {
    this.leave();
    this.owner.onFailure(this, failure);
  }

  private leave(): void {
    if (this.call !== null) this.instance?.calls.delete(this.call);
    this.call = null;
  }
}
