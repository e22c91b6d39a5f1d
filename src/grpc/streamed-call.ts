import { RingQueue } from '../base/ring-queue.js';
import type { BidiStream, CallOwner, CarriedCall } from './carried-call.js';
import { decompress, decompressorOf } from './message-encoding.js';
import type { Decompressor } from './message-encoding.js';
import { MessageIntake } from './message-intake.js';
import type { IntakeSink } from './message-intake.js';
import type { ClientStream, StreamObserver } from './message-stream.js';
import {
  Http2Code,
  decodeGrpcMessage,
  isInterim,
  parseGrpcStatus,
  refusalOf,
  statusLine,
  statusOfReset,
} from './status-mapping.js';
import { GrpcStatus } from './unary-caller.js';
import { WriteGate } from './write-gate.js';

/**
 * One bidirectional call from `open` to its end: end of its caller, and reader and writer to the
 * connection that carries it.
 */
export class StreamedCall implements ClientStream, CarriedCall, IntakeSink {
  readonly request = null;
  readonly deadline = Infinity;
  readonly complete = false;
  readonly maxMessageBytes: number;
  sentAt = 0;
  settled = false;
  private stream: BidiStream | null = null;
  private readonly gate: WriteGate;
  /** Messages that wait for the stream to be there. */
  private readonly early = new RingQueue<Uint8Array>();
  private ended = false;
  private opened = false;
  private status = -1;
  private details = '';
  private decompressor: Decompressor | null = null;
  private readonly intake: MessageIntake;

  constructor(
    private readonly owner: CallOwner,
    readonly order: number,
    readonly method: string,
    private readonly observer: StreamObserver,
  ) {
    this.maxMessageBytes = owner.maxMessageBytes;
    this.gate = new WriteGate(this.maxMessageBytes);
    this.intake = new MessageIntake(this);
  }

  get connected(): boolean {
    return this.stream !== null;
  }

  /** We ask nobody to compress, but some do all the same and say how. */
  get takesCompressed(): boolean {
    return this.decompressor !== null;
  }

  get queuedBytes(): number {
    return this.gate.bytes;
  }

  write(message: Uint8Array): boolean {
    if (this.settled || this.ended) return false;
    const { length } = message;
    const refusal = this.gate.refusal(length);
    if (refusal !== null) {
      this.stopLater(GrpcStatus.RESOURCE_EXHAUSTED, refusal);
      return false;
    }
    const goesOn = this.gate.enter(length);
    if (this.stream === null) this.early.push(message);
    else this.pass(this.stream, message);
    return goesOn;
  }

  flush(): void {
    this.stream?.flush?.();
  }

  end(): void {
    if (this.ended || this.settled) return;
    this.ended = true;
    this.stream?.end();
  }

  cancel(): void {
    this.stopLater(GrpcStatus.CANCELLED, 'cancelled by this side');
  }

  pause(): void {
    this.intake.pause();
    this.stream?.pause();
  }

  resume(): void {
    this.intake.resume();
    // What was kept may have made the observer pause again.
    if (!this.intake.paused) this.stream?.resume();
  }

  attach(stream: BidiStream): void {
    this.stream = stream;
    if (this.intake.paused) stream.pause();
    for (let message = this.early.shift(); message !== undefined; message = this.early.shift()) {
      this.pass(stream, message);
    }
    if (this.ended) stream.end();
    // Not from within `open`.
    queueMicrotask(() => {
      if (!this.settled) this.observer.onConnected?.();
    });
  }

  onSent(messages: number): void {
    const drained = this.gate.leaveNext(messages);
    if (drained && !this.settled && !this.ended) this.observer.onDrain?.();
  }

  onLeaving(): void {
    if (!this.settled) this.observer.onLeaving?.();
  }

  /** What was written is gone: its writer has to begin anew. */
  takeBack(): boolean {
    return false;
  }

  stop(status: number, message: string, neverSent: boolean = this.stream === null): void {
    if (this.settled) return;
    const { stream } = this;
    this.finish(status, message, neverSent);
    stream?.close(Http2Code.CANCEL);
  }

  stopLater(status: number, message: string): void {
    this.ended = true;
    queueMicrotask(() => this.stop(status, message));
  }

  receiveHeaders(
    httpStatus: number,
    contentType: string | undefined,
    grpcStatus: string | undefined,
    grpcMessage: string | undefined,
    encoding?: string,
  ): void {
    if (this.settled || isInterim(httpStatus)) return;
    if (grpcStatus !== undefined) {
      this.status = parseGrpcStatus(grpcStatus);
      this.details = grpcMessage === undefined ? '' : decodeGrpcMessage(grpcMessage);
    } else if (!this.opened) {
      const refusal = refusalOf(httpStatus, contentType);
      if (refusal !== null) return this.stop(refusal.status, refusal.message, false);
      this.decompressor = decompressorOf(encoding) ?? null;
      this.opened = true;
      this.observer.onOpen?.();
    }
  }

  receiveData(chunk: Buffer): void {
    this.intake.receive(chunk);
  }

  onMessage(message: Buffer, compressed: boolean): void {
    const { decompressor, maxMessageBytes } = this;
    if (!compressed || decompressor === null) {
      this.observer.onMessage(message);
      return;
    }
    const plain = decompress(message, decompressor, maxMessageBytes, (tooLarge, reason) =>
      this.onUnusable(tooLarge, reason),
    );
    if (plain !== null) this.observer.onMessage(plain);
  }

  onUnusable(tooLarge: boolean, reason: string): void {
    this.stop(tooLarge ? GrpcStatus.RESOURCE_EXHAUSTED : GrpcStatus.INTERNAL, reason, false);
  }

  receiveEnd(): void {
    this.intake.end();
  }

  onEnd(whole: boolean): void {
    if (this.status === -1) {
      this.finish(GrpcStatus.UNKNOWN, 'the peer ended the call without a status', false);
    } else if (this.status === GrpcStatus.OK && !whole) {
      this.finish(GrpcStatus.INTERNAL, 'the last message is cut short', false);
    } else this.finish(this.status, this.details, false);
  }

  receiveReset(code: number): void {
    if (this.status !== -1) this.receiveEnd();
    else {
      const reason = `the peer reset the call (HTTP/2 code ${code})`;
      this.intake.deliverHeld();
      this.finish(statusOfReset(code), reason, code === Http2Code.REFUSED_STREAM);
    }
  }

  lose(reason: string, neverSent: boolean): void {
    if (this.status !== -1) this.receiveEnd();
    else {
      this.intake.deliverHeld();
      this.finish(GrpcStatus.UNAVAILABLE, reason, neverSent);
    }
  }

  private pass(stream: BidiStream, message: Uint8Array): void {
    this.gate.given(message.length, stream.write(message));
  }

  private finish(status: number, message: string, neverSent: boolean): void {
    if (this.settled) return;
    this.settled = true;
    this.stream = null;
    this.early.clear();
    this.intake.close();
    this.owner.onSettled(this);
    this.observer.onClosed({ status, message: statusLine(message), neverSent });
  }
}
