import { Backoff } from '../base/backoff.js';
import type { Clock } from '../base/clock.js';
import { RingQueue } from '../base/ring-queue.js';
import { DeadlineQueue } from '../grpc/deadline-queue.js';
import type { StreamEnd, StreamOpener } from '../grpc/message-stream.js';
import { GrpcStatus } from '../grpc/unary-caller.js';
import type { CallFailure, CallHandle } from '../grpc/unary-caller.js';
import { REQUEST_OVERHEAD_BYTES } from '../wire/process-batch.js';
import { StreamLane } from './stream-lane.js';
import type { LaneOwner } from './stream-lane.js';
import { StreamedRequest } from './streamed-request.js';
import type { RequestKeeper, RequestObserver } from './streamed-request.js';

/** Requests that wait for a slow upstream to read, or for the connection; further ones are refused. */
const MAX_WAITING = 10_000;
const MAX_WAITING_BYTES = 64 * 1_048_576;
/** After a stream that ended without an answer, or an upstream that stops, the next one waits. */
const PAUSES = { firstMs: 200, longestMs: 2_000, factor: 1.6, jitter: 0.2 };

/** Whoever owns a ProcessStream. */
export interface ProcessStreamOwner {
  /**
   * The upstream does not serve the method. These requests surely were not executed; they and all
   * later ones have to take another way.
   */
  onRefused(requests: readonly StreamedRequest[], reason: string): void;
  /** An answer that nobody waits for: late, twice, or to a question never asked. */
  onStray(): void;
}

/**
 * Requests to one upstream over a long bidirectional call (proto/upstream.proto, ProcessStream), in
 * order. Those of one turn of the event loop travel in one message.
 *
 * A stream that was lost is opened again with the next request. What was given to a stream is not
 * given to another: lost, it fails as a call that may have been executed. Only what was given to a stream that
 * the upstream surely did not look at is given to the next one, once. What still waits for one may yet be sent, or
 * fails with `neverSent`.
 */
export class ProcessStream implements LaneOwner, RequestKeeper {
  private readonly deadlines: DeadlineQueue;
  private readonly waiting = new RingQueue<StreamedRequest>();
  private waitingBytes = 0;
  /** Where requests go; null: the next one opens it. */
  private lane: StreamLane | null = null;
  /** All there are: retired ones finish what is under way. */
  private readonly lanes = new Set<StreamLane>();
  private scheduled = false;
  private readonly backoff = new Backoff(PAUSES);
  /** Clock time before which no stream is opened. */
  private pausedUntil = -Infinity;
  private lastFault = '';
  private closed = false;

  constructor(
    private readonly opener: StreamOpener,
    private readonly clock: Clock,
    private readonly owner: ProcessStreamOwner,
  ) {
    this.deadlines = new DeadlineQueue(clock);
  }

  get connected(): boolean {
    return this.lane?.connected === true;
  }

  /** Streams that are open, or being opened. */
  get open(): number {
    return this.lanes.size;
  }

  /**
   * Sends an encoded UpstreamRequest by the end of this turn; the observer gets the encoded
   * UpstreamResponse, later than this returns.
   * @param timeoutMs from now, above 0.
   */
  send(bytes: Uint8Array, timeoutMs: number, observer: RequestObserver): CallHandle {
    const request = new StreamedRequest(this, bytes, this.clock.now() + timeoutMs, observer);
    const refusal = this.refuse(bytes.length);
    if (refusal !== null) {
      request.failLater(refusal);
      return request;
    }
    this.deadlines.add(request);
    this.wait(request);
    this.schedule();
    return request;
  }

  /**
   * Ends the stream in good order where nothing is under way on it; the next request opens another.
   * @returns whether there was one to end.
   */
  endIdle(): boolean {
    const { lane } = this;
    if (lane === null || !lane.idle || this.waiting.length > 0) return false;
    this.lane = null;
    lane.retire();
    return true;
  }

  /** Ends every stream; what is under way fails. Idempotent. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    for (const lane of [...this.lanes]) lane.destroy();
    this.failWaiting('the stream was closed');
  }

  onSettled(request: StreamedRequest): void {
    this.deadlines.remove(request);
    while (this.waiting.at(0)?.settled === true) this.takeFirst();
  }

  schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => this.flush());
  }

  onWritable(): void {
    this.flush();
  }

  onStray(): void {
    this.owner.onStray();
  }

  onRetiring(lane: StreamLane, forGood: boolean): void {
    if (lane === this.lane) {
      this.lane = null;
      if (forGood) this.pause('the upstream is draining');
      // It may never be written to again.
      if (this.waiting.length > 0) this.schedule();
    }
    lane.retire();
  }

  onClosed(lane: StreamLane, end: StreamEnd, unanswered: readonly StreamedRequest[]): void {
    this.lanes.delete(lane);
    if (lane === this.lane) this.lane = null;
    if (end.status === GrpcStatus.UNIMPLEMENTED && !lane.heard && !this.closed) {
      this.owner.onRefused([...unanswered, ...this.takeWaiting()], end.message);
      return;
    }
    const failure = failureOf(end);
    if (lane.heard) this.backoff.reset();
    // For connections that are lost the opener has its own pause.
    else if (end.status !== GrpcStatus.UNAVAILABLE) this.pause(failure.message);
    if (this.unseen(end, unanswered)) this.sendAgain(unanswered);
    else for (const request of unanswered) request.fail(failure);
    if (!lane.connected) this.failWaiting(end.message, end.neverSent ? end.status : undefined);
    if (this.waiting.length > 0) this.schedule();
  }

  private refuse(bytes: number): CallFailure | null {
    const limit = this.opener.maxMessageBytes - REQUEST_OVERHEAD_BYTES;
    const status = GrpcStatus.RESOURCE_EXHAUSTED;
    if (this.closed) {
      return { status: GrpcStatus.UNAVAILABLE, message: 'the stream is closed', neverSent: true };
    }
    if (bytes > limit) {
      const message = `a request of ${bytes} bytes, the limit is ${limit}`;
      return { status, message, neverSent: true };
    }
    if (this.waiting.length < MAX_WAITING && this.waitingBytes + bytes <= MAX_WAITING_BYTES) {
      return null;
    }
    const message = 'too many requests wait for the upstream to read them';
    return { status, message, neverSent: true, full: true };
  }

  /** Gives what waits to the stream, as far as the upstream reads. */
  private flush(): void {
    this.scheduled = false;
    if (this.waiting.length > 0) this.fill();
    for (const lane of this.lanes) lane.flush();
  }

  private fill(): void {
    const now = this.clock.now();
    while (this.waiting.length > 0) {
      const lane = this.lane ?? this.openLane(now);
      if (lane === null) {
        this.failWaiting(this.lastFault);
        return;
      }
      if (!lane.writable) return;
      const request = this.waiting.at(0) as StreamedRequest;
      if (!lane.hasRoomFor(request.bytes.length)) {
        lane.flush();
        continue;
      }
      this.takeFirst();
      if (!request.settled) lane.add(request, now);
    }
  }

  /**
   * Whether the upstream did not look at a stream, by its GOAWAY or REFUSED_STREAM, for the first time with each of
   * these requests. All or none: what goes to another instance must not be overtaken by what stays.
   */
  private unseen({ neverSent }: StreamEnd, requests: readonly StreamedRequest[]): boolean {
    return neverSent && !this.closed && requests.every((one) => !one.returned);
  }

  /** They go on the next stream, ahead of what waits already. */
  private sendAgain(requests: readonly StreamedRequest[]): void {
    const younger = this.takeWaiting();
    for (const request of requests) request.takeBack();
    for (const request of [...requests, ...younger]) this.wait(request);
  }

  private wait(request: StreamedRequest): void {
    this.waiting.push(request);
    this.waitingBytes += request.bytes.length;
  }

  private takeFirst(): void {
    this.waitingBytes -= this.waiting.shift()?.bytes.length ?? 0;
  }

  private openLane(now: number): StreamLane | null {
    if (this.closed || now < this.pausedUntil) return null;
    const lane = new StreamLane(this.opener, this);
    this.lane = lane;
    this.lanes.add(lane);
    return lane;
  }

  private pause(reason: string): void {
    this.lastFault = reason;
    this.pausedUntil = this.clock.now() + this.backoff.next();
  }

  private failWaiting(message: string, status: number = GrpcStatus.UNAVAILABLE): void {
    const failure = { status, message, neverSent: true };
    for (const request of this.takeWaiting()) request.fail(failure);
  }

  private takeWaiting(): StreamedRequest[] {
    const requests = [...this.waiting];
    this.waiting.clear();
    this.waitingBytes = 0;
    return requests;
  }
}

/**
 * What the end of a stream means for a request that was given to it. A status of the upstream's own
 * making is about the stream, not about the request: that may have been executed all the same.
 */
function failureOf({ status, message, neverSent }: StreamEnd): CallFailure {
  if (neverSent || status === GrpcStatus.UNAVAILABLE) return { status, message, neverSent };
  if (status === GrpcStatus.OK) {
    // In good order, but with requests unanswered.
    const reason = 'the upstream ended the stream without an answer';
    return { status: GrpcStatus.UNAVAILABLE, message: reason, neverSent };
  }
  const reason = `the stream ended with status ${status}: ${message}`;
  return { status: GrpcStatus.CANCELLED, message: reason, neverSent };
}
