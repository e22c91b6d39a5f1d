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
/** At so many unanswered requests a stream is not read any further. */
const MAX_UNDER_WAY = 10_000;
const TOO_LARGE = 500;
const DRAINING = encodeMessage(ProcessResults, { draining: true });

/** Serves ProcessStream with the handlers of an upstream. */
export class StreamService {
  private readonly calls = new Set<ServedStream>();
  private draining = false;

  constructor(private readonly handlers: Handlers) {}

  method(): StreamMethod {
    return {
      path: Method.ProcessStream,
      open: (responses) => {
        const call = new ServedStream(responses, this.handlers, () => this.calls.delete(call));
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
  private readonly underWay = new Map<string, Cancellation>();
  private readonly results = new ProcessResultsWriter();
  private scheduled = false;
  private blocked = false;
  private paused = false;
  private halfClosed = false;

  constructor(
    private readonly responses: ResponseStream,
    private readonly handlers: Handlers,
    private readonly forget: () => void,
  ) {}

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
      this.underWay.get(keyOf(sessionId ?? '', clientSeqId ?? 0))?.cancel();
    }
    this.throttle();
  }

  onHalfClose(): void {
    this.halfClosed = true;
    this.endWhenIdle();
  }

  onDrain(): void {
    this.blocked = false;
    this.throttle();
  }

  onClosed(): void {
    for (const cancellation of this.underWay.values()) cancellation.cancel();
    this.forget();
  }

  private begin(request: UpstreamRequest): void {
    const cancellation = new Cancellation();
    const key = keyOf(request.sessionId, request.clientSeqId);
    this.underWay.set(key, cancellation);
    void this.handlers.answer(request, cancellation).then((response) => {
      this.underWay.delete(key);
      this.reply(request, response);
    });
  }

  private reply({ sessionId, clientSeqId }: UpstreamRequest, response: Uint8Array): void {
    const fits = response.length <= MAX_RESPONSE_BYTES;
    this.results.add(fits ? response : tooLarge(response.length, clientSeqId), sessionId);
    if (this.results.bytes >= MAX_BATCH_BYTES) this.flush();
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.flush();
      this.throttle();
      this.endWhenIdle();
    });
  }

  private flush(): void {
    if (this.results.empty) return;
    if (!this.responses.write(this.results.take())) this.blocked = true;
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
    if (!this.halfClosed || this.underWay.size > 0 || !this.results.empty) return;
    this.responses.end();
  }
}

function tooLarge(bytes: number, clientSeqId: number): Uint8Array {
  const message = `the answer has ${bytes} bytes, more than fit in a client frame`;
  return encodeMessage(UpstreamResponse, { code: TOO_LARGE, message, clientSeqId });
}

function keyOf(sessionId: string, clientSeqId: number): string {
  return `${clientSeqId}/${sessionId}`;
}
