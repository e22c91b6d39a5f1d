import { messageOf } from '../base/errors.js';
import type {
  ClientStream,
  StreamEnd,
  StreamObserver,
  StreamOpener,
} from '../grpc/message-stream.js';
import { GrpcStatus } from '../grpc/unary-caller.js';
import { Method } from '../wire/grpc-methods.js';
import { ProcessBatchWriter, readProcessResults } from '../wire/process-batch.js';
import type { ResultSink } from '../wire/process-batch.js';
import { RequestBook } from './request-book.js';
import type { StreamedRequest } from './streamed-request.js';

/** Batches end at this size: a frame of an upstream's window, and far below what any server takes. */
const MAX_BATCH_BYTES = 256 * 1_024;

/** Whoever opened a lane. */
export interface LaneOwner {
  /** There is something to flush by the end of this turn. */
  schedule(): void;
  /** It can be written to again. */
  onWritable(lane: StreamLane): void;
  /** An answer that nobody waits for, or that cannot be read. */
  onStray(): void;
  /** No new requests on it. @param forGood the upstream itself stops; else only the connection goes. */
  onRetiring(lane: StreamLane, forGood: boolean): void;
  /** It is gone; `unanswered` are still to be told. */
  onClosed(lane: StreamLane, end: StreamEnd, unanswered: readonly StreamedRequest[]): void;
}

/** One ProcessStream call to an upstream, with the requests that were given to it. */
export class StreamLane implements StreamObserver, ResultSink {
  /** Whether the upstream has ever answered on it: then it serves streams. */
  heard = false;
  /** Until it has its connection, it is given no request: that could go another way. */
  connected: boolean;
  /** False while it is not connected, or the upstream does not read fast enough. */
  writable: boolean;
  private readonly stream: ClientStream;
  private readonly inFlight = new RequestBook<StreamedRequest>();
  private readonly batch = new ProcessBatchWriter();
  private retired = false;
  private ended = false;

  constructor(
    opener: StreamOpener,
    private readonly owner: LaneOwner,
  ) {
    this.stream = opener.open(Method.ProcessStream, this);
    this.writable = this.connected = this.stream.connected;
  }

  /** Whether it is connected, and nothing under way on it. */
  get idle(): boolean {
    return this.connected && this.inFlight.size === 0;
  }

  /** Whether the batch has room for a request of this size. */
  hasRoomFor(bytes: number): boolean {
    return this.batch.bytes === 0 || this.batch.bytes + bytes <= MAX_BATCH_BYTES;
  }

  /** Takes a request into the next batch. @param now clock time, ms. */
  add(request: StreamedRequest, now: number): void {
    if (!this.inFlight.add(request)) {
      const message = 'a request of this number is under way already';
      request.fail({ status: GrpcStatus.INTERNAL, message, neverSent: false });
      return;
    }
    request.lane = this;
    this.batch.add(request.bytes, request.deadline - now);
  }

  /** Tells the upstream that nobody waits for a request any more; its answer will be a stray. */
  cancel({ observer }: StreamedRequest): void {
    if (this.inFlight.take(observer.sessionId, observer.clientSeqId) === null) return;
    this.batch.cancel(observer);
    this.endWhenIdle();
    this.owner.schedule();
  }

  /** Hands over what was gathered. */
  flush(): void {
    if (this.batch.empty || !this.writable || this.ended) return;
    this.writable = this.stream.write(this.batch.take());
    this.stream.flush?.();
  }

  /** Takes no new requests: ends when those under way are answered. */
  retire(): void {
    this.retired = true;
    this.endWhenIdle();
  }

  /** Ends it now; what is under way on it fails. */
  destroy(): void {
    this.stream.cancel();
  }

  onMessage(bytes: Uint8Array): void {
    this.heard = true;
    let draining: boolean;
    try {
      draining = readProcessResults(bytes, this);
    } catch (error) {
      this.stream.cancel();
      const message = `answered what is no ProcessResults: ${messageOf(error)}`;
      const failure = { status: GrpcStatus.INTERNAL, message, neverSent: false };
      for (const request of this.inFlight.takeAll()) request.fail(failure);
      return;
    }
    if (draining && !this.retired) this.owner.onRetiring(this, true);
    this.endWhenIdle();
  }

  onResult(sessionId: string, clientSeqId: number, response: Uint8Array): void {
    const request = this.inFlight.take(sessionId, clientSeqId);
    if (request === null) this.owner.onStray();
    else request.answer(response);
  }

  onUnreadable(): void {
    this.owner.onStray();
  }

  onConnected(): void {
    if (this.connected) return;
    this.connected = true;
    this.onDrain();
  }

  onDrain(): void {
    this.writable = true;
    this.owner.onWritable(this);
  }

  onLeaving(): void {
    if (!this.retired) this.owner.onRetiring(this, false);
  }

  onClosed(end: StreamEnd): void {
    this.ended = true;
    this.owner.onClosed(this, end, this.inFlight.takeAll());
  }

  private endWhenIdle(): void {
    if (!this.retired || this.ended || this.inFlight.size > 0) return;
    this.flush();
    this.ended = true;
    this.stream.end();
  }
}
