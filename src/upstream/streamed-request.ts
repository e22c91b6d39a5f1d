import { Deadlined } from '../grpc/deadline-queue.js';
import { GrpcStatus } from '../grpc/unary-caller.js';
import type { CallFailure, CallHandle, CallObserver } from '../grpc/unary-caller.js';
import type { RequestKey } from '../wire/process-batch.js';
import type { BookedRequest } from './request-book.js';

/** Who waits for the answer to a request, and which it is. */
export interface RequestObserver extends CallObserver, RequestKey {}

/** Keeps the books of requests on streams. */
export interface RequestKeeper {
  /** The request has its outcome; called once, before its observer is told. */
  onSettled(request: StreamedRequest): void;
  /** Whether what waits for a stream waits for an upstream that is there. */
  readonly connected: boolean;
}

/** The stream that a request was given to. */
export interface RequestCarrier {
  /** Nobody waits for the answer any more. */
  cancel(request: StreamedRequest): void;
}

/** One request on a ProcessStream, from `send` to its outcome. */
export class StreamedRequest extends Deadlined implements CallHandle, BookedRequest {
  /** The stream that it was given to; null while it surely was not sent. */
  lane: RequestCarrier | null = null;
  settled = false;
  /** The upstream did not look at the stream that it was given to; it waits, or waited, for another one. */
  returned = false;
  entered = 0;
  nextAlike: BookedRequest | null = null;
  /** Its call, where the upstream turned out to serve no streams. */
  private unary: CallHandle | null = null;

  constructor(
    private readonly keeper: RequestKeeper,
    readonly bytes: Uint8Array,
    /** Clock time, ms. */
    deadline: number,
    readonly observer: RequestObserver,
  ) {
    super(deadline);
  }

  cancel(): void {
    if (this.unary !== null) this.unary.cancel();
    else this.stop(GrpcStatus.CANCELLED, 'cancelled by the gateway');
  }

  withdraw(): boolean {
    if (this.unary !== null) return this.unary.withdraw?.() ?? false;
    if (this.settled || this.lane !== null) return false;
    this.settle();
    return true;
  }

  override expire(): void {
    this.stop(GrpcStatus.DEADLINE_EXCEEDED, 'no answer within the deadline');
  }

  answer(response: Uint8Array): void {
    if (this.settled) return;
    this.settle();
    this.observer.onResponse(response);
  }

  fail(failure: CallFailure): void {
    if (this.settled) return;
    this.settle();
    this.observer.onFailure(failure);
  }

  /** As `fail`, from within `send`: the observer hears of it after `send` has returned. */
  failLater(failure: CallFailure): void {
    queueMicrotask(() => this.fail(failure));
  }

  /** The upstream surely did not look at it: it waits for another stream. */
  takeBack(): void {
    this.lane = null;
    this.returned = true;
  }

  /** Goes on as a call of its own: it surely was not executed, and its outcome comes from there. */
  becomeUnary(start: (observer: CallObserver) => CallHandle): void {
    if (this.settled) return;
    this.settle();
    this.unary = start(this.observer);
  }

  private stop(status: number, message: string): void {
    if (this.settled) return;
    const { lane } = this;
    const neverSent = lane === null;
    this.fail({ status, message, neverSent, busy: neverSent && this.keeper.connected });
    lane?.cancel(this);
  }

  private settle(): void {
    this.settled = true;
    this.keeper.onSettled(this);
  }
}
