import type { Clock } from '../../base/clock.js';
import { RingQueue } from '../../base/ring-queue.js';
import { DeadlineQueue, Deadlined } from '../../grpc/deadline-queue.js';
import type { ResponseStream, StreamCall, StreamMethod } from '../../grpc/server-method.js';
import { GrpcStatus } from '../../grpc/unary-caller.js';
import type { UpstreamRequest } from '../../wire/messages.js';
import {
  ProcessBatch,
  ProcessResults,
  UpstreamResponse,
  decodeMessage,
  encodeMessage,
} from '../../wire/messages.js';
import { Method } from '../../wire/grpc-methods.js';
import { ProcessResultsWriter } from '../../wire/process-batch.js';
import { Cancellation } from './cancellation.js';
import type { Handlers } from './handlers.js';

/** Answers of one turn are cut into messages of about this size, far below what any client takes. */
const MAX_BATCH_BYTES = 256 * 1_024;
/** What no client frame holds would only be refused by the gateway; the stream is not for it. */
const MAX_RESPONSE_BYTES = 2 * 1_048_576;
/**
 * At so many unanswered requests a stream is not read any further. Each gives its place back with its
 * time at the latest: what would free them otherwise may be a `cancelled` that is not read.
 */
const MAX_UNDER_WAY = 10_000;
/** Answers that wait for a gateway to read; of a further one it hears only that it is lost. */
const MAX_HELD_BYTES = 128 * 1_048_576;
const TOO_LARGE = 500;
const ANSWER_LOST = 504;
const DRAINING = encodeMessage(ProcessResults, { draining: true });

/** Serves ProcessStream with the handlers of an upstream. */
export class StreamService {
  private readonly calls = new Set<ServedStream>();
  private draining = false;

  constructor(
    private readonly handlers: Handlers,
    private readonly clock: Clock,
  ) {}

  method(): StreamMethod {
    return {
      path: Method.ProcessStream,
      open: (responses) => {
        const call = new ServedStream(responses, this.handlers, this.clock, () =>
          this.calls.delete(call),
        );
        this.calls.add(call);
        if (this.draining) call.drain();
        return call;
      },
    };
  }

  /** Tells every gateway to send nothing more; what is under way is still answered. */
  drain(): void {
    if (this.draining) return;
    this.draining = true;
    for (const call of this.calls) call.drain();
  }
}

/** One ProcessStream call of a gateway. */
class ServedStream implements StreamCall {
  /** Those whose answers were not written yet. */
  private readonly underWay = new Map<string, ServedRequest>();
  /** Of these, the ones that have their answer, and those that were given up since. */
  private readonly answered = new RingQueue<ServedRequest>();
  private heldBytes = 0;
  private readonly deadlines: DeadlineQueue;
  private readonly results = new ProcessResultsWriter();
  private scheduled = false;
  private blocked = false;
  private paused = false;
  private halfClosed = false;

  constructor(
    private readonly responses: ResponseStream,
    private readonly handlers: Handlers,
    private readonly clock: Clock,
    private readonly forget: () => void,
  ) {
    this.deadlines = new DeadlineQueue(clock);
  }

  drain(): void {
    this.responses.write(DRAINING);
  }

  onMessage(bytes: Uint8Array): void {
    let batch: ProcessBatch;
    try {
      batch = decodeMessage(ProcessBatch, bytes);
    } catch {
      this.responses.end(GrpcStatus.INVALID_ARGUMENT, 'no ProcessBatch');
      return;
    }
    for (const request of batch.requests) this.begin(request as UpstreamRequest);
    for (const { sessionId, clientSeqId } of batch.cancelled) {
      this.giveUp(this.underWay.get(keyOf(sessionId ?? '', clientSeqId ?? 0)));
    }
    this.throttle();
  }

  onHalfClose(): void {
    this.halfClosed = true;
    this.endWhenIdle();
  }

  onDrain(): void {
    this.blocked = false;
    this.flush();
    this.throttle();
    this.endWhenIdle();
  }

  onClosed(): void {
    for (const request of [...this.underWay.values()]) this.giveUp(request);
    this.answered.clear();
    this.forget();
  }

  /** Nobody waits for the answer any more: the handler hears of it, and the place is free. */
  giveUp(request: ServedRequest | undefined): void {
    if (request === undefined) return;
    if (this.settle(request) === null) request.cancellation.cancel();
    this.schedule();
  }

  private begin(request: UpstreamRequest): void {
    const { sessionId, clientSeqId, timeoutMs } = request;
    const deadline = timeoutMs > 0 ? this.clock.now() + timeoutMs : Infinity;
    const served = new ServedRequest(this, sessionId, clientSeqId, deadline);
    // A gateway that asks again has given up the first time.
    this.giveUp(this.underWay.get(served.key));
    this.underWay.set(served.key, served);
    if (deadline !== Infinity) this.deadlines.add(served);
    void this.handlers.answer(request, served.cancellation).then((response) => {
      // Else it was given up.
      if (this.underWay.get(served.key) === served) this.reply(served, response);
    });
  }

  /** Takes it off the books. @returns the answer that it waited with. */
  private settle(request: ServedRequest): Uint8Array | null {
    this.underWay.delete(request.key);
    this.deadlines.remove(request);
    const { answer } = request;
    request.answer = null;
    this.heldBytes -= answer?.length ?? 0;
    return answer;
  }

  private reply(request: ServedRequest, response: Uint8Array): void {
    request.answer = this.admissible(request, response);
    this.heldBytes += request.answer.length;
    this.answered.push(request);
    if (this.heldBytes >= MAX_BATCH_BYTES) this.flush();
    this.schedule();
  }

  private admissible({ clientSeqId }: ServedRequest, response: Uint8Array): Uint8Array {
    const { length } = response;
    if (length > MAX_RESPONSE_BYTES) {
      const message = `the answer has ${length} bytes, more than fit in a client frame`;
      return encodeMessage(UpstreamResponse, { code: TOO_LARGE, message, clientSeqId });
    }
    if (this.heldBytes + length <= MAX_HELD_BYTES) return response;
    const message = 'the answer was lost: the gateway does not read';
    return encodeMessage(UpstreamResponse, { code: ANSWER_LOST, message, clientSeqId });
  }

  /** Once for what happens in this turn. */
  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.flush();
      this.throttle();
      this.endWhenIdle();
    });
  }

  /** Writes what has its answer, as far as the gateway reads. */
  private flush(): void {
    while (!this.blocked && this.answered.length > 0) {
      this.gather();
      if (!this.results.empty) this.blocked = !this.responses.write(this.results.take());
    }
  }

  private gather(): void {
    while (this.results.bytes < MAX_BATCH_BYTES) {
      const request = this.answered.shift();
      if (request === undefined) return;
      if (request.answer === null) continue;
      const answer = this.settle(request) as Uint8Array;
      this.results.add(answer, request.sessionId);
    }
  }

  /** Reads no further while answers are not taken, or too many requests wait for theirs. */
  private throttle(): void {
    const pause = this.blocked || this.underWay.size >= MAX_UNDER_WAY;
    if (pause === this.paused) return;
    this.paused = pause;
    if (pause) this.responses.pause();
    else this.responses.resume();
  }

  private endWhenIdle(): void {
    if (this.halfClosed && this.underWay.size === 0) this.responses.end();
  }
}

/** One request, from its arrival until its answer is written or nobody waits for it. */
class ServedRequest extends Deadlined {
  readonly cancellation = new Cancellation();
  readonly key: string;
  /** Waits to be written; null before that, and once it was written or given up. */
  answer: Uint8Array | null = null;

  constructor(
    private readonly owner: ServedStream,
    readonly sessionId: string,
    readonly clientSeqId: number,
    deadline: number,
  ) {
    super(deadline);
    this.key = keyOf(sessionId, clientSeqId);
  }

  override expire(): void {
    this.owner.giveUp(this);
  }
}

function keyOf(sessionId: string, clientSeqId: number): string {
  return `${clientSeqId}/${sessionId}`;
}
