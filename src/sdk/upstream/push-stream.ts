import { inBatches } from '../../base/batches.js';
import type { Clock } from '../../base/clock.js';
import { DeadlineQueue, Deadlined } from '../../grpc/deadline-queue.js';
import type {
  ClientStream,
  StreamEnd,
  StreamObserver,
  StreamOpener,
} from '../../grpc/message-stream.js';
import { GrpcStatus } from '../../grpc/unary-caller.js';
import type { CallFailure } from '../../grpc/unary-caller.js';
import { Method } from '../../wire/grpc-methods.js';
import {
  PushStreamRequest,
  PushStreamResponse,
  UnicastPushResponse,
  decodeMessage,
  encodeMessage,
} from '../../wire/messages.js';
import type { PushFields } from './push-content.js';

/** Pushes that wait for their answers or to be sent, and their bytes; further ones are refused. */
const MAX_UNANSWERED = 10_000;
const MAX_UNANSWERED_BYTES = 64 * 1_048_576;
/** One message takes so many pushes and about so many bytes. */
const BATCH = { count: 1_000, bytes: 512 * 1_024 };

/** Who waits for a push. */
export interface PushObserver {
  onResult(response: UnicastPushResponse): void;
  onFailure(failure: CallFailure): void;
  /** The gateway serves no PushStream, and did not take it: push it another way. */
  onRefused(): void;
}

/** Pushes to one gateway over one long PushStream call, those of one turn in one message. */
export class PushStream implements StreamObserver {
  /** The gateway does not serve the method; until `forget`. */
  refused = false;
  private stream: ClientStream | null = null;
  private opened = false;
  private heard = false;
  private writable = true;
  private readonly deadlines: DeadlineQueue;
  private readonly unanswered = new Map<number, PendingPush>();
  private unansweredBytes = 0;
  /** Of these, the ones that are still to be written, in order. */
  private readonly unsent = new Set<PendingPush>();
  private scheduled = false;
  private nextId = 1;

  constructor(
    private readonly opener: StreamOpener,
    private readonly clock: Clock,
    private readonly timeoutMs: number,
  ) {
    this.deadlines = new DeadlineQueue(clock);
  }

  /**
   * Pushes by the end of this turn; the observer hears later than this returns, once.
   * @param bytes that it takes in a message (pushBytes), no more than a message may have.
   */
  push(fields: PushFields, bytes: number, observer: PushObserver): void {
    const full = this.unansweredBytes + bytes > MAX_UNANSWERED_BYTES;
    if (full || this.unanswered.size >= MAX_UNANSWERED) {
      const message = 'too many pushes wait for the gateway';
      const status = GrpcStatus.RESOURCE_EXHAUSTED;
      queueMicrotask(() => observer.onFailure({ status, message, neverSent: true }));
      return;
    }
    const deadline = this.clock.now() + this.timeoutMs;
    const pending = new PendingPush(this.nextId++, fields, bytes, observer, deadline, this);
    this.unanswered.set(pending.id, pending);
    this.unansweredBytes += bytes;
    this.deadlines.add(pending);
    this.unsent.add(pending);
    this.schedule();
  }

  /** The gateway may be another by now. */
  forget(): void {
    this.refused = false;
  }

  close(): void {
    this.stream?.cancel();
  }

  /** The push met its deadline. */
  expire(pending: PendingPush): void {
    const { sent } = pending;
    if (sent && !this.opened && this.stream !== null) {
      // Nobody is there: its end tells whether anything has left.
      this.stream.cancel();
      return;
    }
    const message = 'no answer within the deadline';
    this.settle(pending);
    const status = GrpcStatus.DEADLINE_EXCEEDED;
    pending.observer.onFailure({ status, message, neverSent: !sent });
  }

  onMessage(bytes: Uint8Array): void {
    this.heard = true;
    let results: PushStreamResponse['results'];
    try {
      ({ results } = decodeMessage(PushStreamResponse, bytes));
    } catch {
      this.stream?.cancel();
      return;
    }
    for (const { pushId, result } of results) {
      const pending = this.unanswered.get(pushId ?? 0);
      if (pending === undefined) continue;
      this.settle(pending);
      pending.observer.onResult(new UnicastPushResponse({ ...result }));
    }
  }

  onDrain(): void {
    this.writable = true;
    this.flush();
  }

  onOpen(): void {
    this.opened = true;
  }

  onClosed({ status, message, neverSent }: StreamEnd): void {
    this.stream = null;
    const sent = [...this.unanswered.values()].filter((pending) => pending.sent);
    if (status === GrpcStatus.UNIMPLEMENTED && !this.heard) {
      this.refused = true;
      for (const pending of [...this.unanswered.values()]) {
        this.settle(pending);
        pending.observer.onRefused();
      }
      return;
    }
    const told = status === GrpcStatus.OK ? GrpcStatus.UNAVAILABLE : status;
    for (const pending of sent) {
      this.settle(pending);
      pending.observer.onFailure({ status: told, message, neverSent });
    }
    if (this.unsent.size > 0) this.schedule();
  }

  private settle(pending: PendingPush): void {
    this.deadlines.remove(pending);
    this.unanswered.delete(pending.id);
    this.unansweredBytes -= pending.bytes;
    this.unsent.delete(pending);
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => this.flush());
  }

  private flush(): void {
    this.scheduled = false;
    if (this.unsent.size > 0 && this.stream === null) {
      this.heard = this.opened = false;
      this.writable = true;
      this.stream = this.opener.open(Method.PushStream, this);
    }
    while (this.unsent.size > 0 && this.writable && this.stream !== null) {
      const pushes = this.nextBatch().map(({ id, fields }) => ({ pushId: id, push: fields }));
      this.writable = this.stream.write(encodeMessage(PushStreamRequest, { pushes }));
    }
  }

  private nextBatch(): PendingPush[] {
    const [batch = []] = inBatches(this.unsent, ({ bytes }) => bytes, BATCH);
    for (const pending of batch) {
      this.unsent.delete(pending);
      pending.sent = true;
    }
    return batch;
  }
}

class PendingPush extends Deadlined {
  sent = false;

  constructor(
    readonly id: number,
    readonly fields: PushFields,
    readonly bytes: number,
    readonly observer: PushObserver,
    deadline: number,
    private readonly owner: PushStream,
  ) {
    super(deadline);
  }

  override expire(): void {
    this.owner.expire(this);
  }
}
