import { messageOf } from '../base/errors.js';
import type { ResponseStream, StreamCall, StreamMethod } from '../grpc/server-method.js';
import { GrpcStatus } from '../grpc/unary-caller.js';
import type { Logger } from '../telemetry/log.js';
import { Method } from '../wire/grpc-methods.js';
import {
  PushStreamRequest,
  PushStreamResponse,
  UnicastPushRequest,
  decodeFromUpstream,
  encodeMessage,
} from '../wire/messages.js';
import { MAX_BATCH_PUSHES } from './push-batch.js';
import { offerPush } from './push-check.js';
import type { PushResult, PushSink } from './push-sink.js';

/** Unanswered pushes of one call; above it the call is not read. */
const MAX_IN_FLIGHT = 4_000;
/** PushStream calls at once: a few for each upstream. */
const MAX_CALLS = 1_024;

/**
 * PushStream: pushes over one long call. Every push is judged for itself, as by PushToClient, in the
 * order given, and answered by its push_id; the answers of one turn travel in one message.
 */
export class PushStreams {
  private readonly calls = new Set<PushCall>();

  constructor(
    private readonly pushes: PushSink,
    private readonly logger: Logger,
  ) {}

  method(): StreamMethod {
    return {
      path: Method.PushStream,
      guarded: true,
      open: (responses) => {
        const call = new PushCall(responses, this.pushes, this.logger, () =>
          this.calls.delete(call),
        );
        if (this.calls.size < MAX_CALLS) this.calls.add(call);
        else responses.end(GrpcStatus.RESOURCE_EXHAUSTED, 'too many PushStream calls');
        return call;
      },
    };
  }

  /** Ends every call behind the answers that it still owes: the server stops. */
  close(): void {
    for (const call of [...this.calls]) call.finish();
  }
}

/** One PushStream call. */
class PushCall implements StreamCall {
  private results: { pushId: number; result: PushResult }[] = [];
  private inFlight = 0;
  private scheduled = false;
  private blocked = false;
  private paused = false;
  private finishing = false;
  /** Why the call ends early, or null. */
  private refusal: string | null = null;

  constructor(
    private readonly responses: ResponseStream,
    private readonly sink: PushSink,
    private readonly logger: Logger,
    private readonly forget: () => void,
  ) {}

  onMessage(bytes: Uint8Array): void {
    if (this.refusal !== null) return;
    let pushes: PushStreamRequest['pushes'];
    try {
      ({ pushes } = decodeFromUpstream(PushStreamRequest, bytes));
    } catch (error) {
      this.refuse(`no PushStreamRequest: ${messageOf(error)}`);
      return;
    }
    if (pushes.length > MAX_BATCH_PUSHES) {
      this.refuse(`a message of ${pushes.length} pushes, the limit is ${MAX_BATCH_PUSHES}`);
      return;
    }
    for (const { pushId, push } of pushes) {
      this.deliver(pushId ?? 0, new UnicastPushRequest({ ...push }));
    }
    this.throttle();
  }

  onHalfClose(): void {
    this.finish();
  }

  onDrain(): void {
    this.blocked = false;
    this.throttle();
  }

  onClosed(): void {
    this.forget();
  }

  /** Reads no further and ends when all is answered. */
  finish(): void {
    this.finishing = true;
    this.responses.pause();
    this.endWhenAnswered();
  }

  /** None of a message's pushes is taken. What came before it is answered, then the call ends. */
  private refuse(reason: string): void {
    this.refusal = reason;
    this.finish();
  }

  private deliver(pushId: number, request: UnicastPushRequest): void {
    let told = false;
    this.inFlight++;
    const done = (result: PushResult): void => {
      if (told) return;
      told = true;
      this.inFlight--;
      this.answer(pushId, result);
    };
    try {
      offerPush(this.sink, request, done);
    } catch (error) {
      this.logger.error({ err: error, method: Method.PushStream }, 'a push failed inside');
      done({ success: false, message: 'internal error', errorCode: 'PUSH_FAILED' });
    }
  }

  private answer(pushId: number, result: PushResult): void {
    this.results.push({ pushId, result });
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => this.flush());
  }

  private flush(): void {
    this.scheduled = false;
    const { results } = this;
    this.results = [];
    const goesOn = this.responses.write(encodeMessage(PushStreamResponse, { results }));
    if (!goesOn) this.blocked = true;
    this.throttle();
    this.endWhenAnswered();
  }

  private throttle(): void {
    const pause = this.blocked || this.inFlight >= MAX_IN_FLIGHT;
    if (pause === this.paused || this.finishing) return;
    this.paused = pause;
    if (pause) this.responses.pause();
    else this.responses.resume();
  }

  private endWhenAnswered(): void {
    if (!this.finishing || this.inFlight > 0 || this.results.length > 0) return;
    if (this.refusal === null) this.responses.end();
    else this.responses.end(GrpcStatus.INVALID_ARGUMENT, this.refusal);
  }
}
