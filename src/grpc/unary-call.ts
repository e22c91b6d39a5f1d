import type { CallOwner, CallStream, CarriedCall } from './carried-call.js';
import { Deadlined } from './deadline-queue.js';
import { decompress, decompressorOf } from './message-encoding.js';
import type { Decompressor } from './message-encoding.js';
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
import type { CallHandle, CallObserver } from './unary-caller.js';

/** Of a gRPC message: one byte that says whether it is compressed, four of length, big-endian. */
export const PREFIX_BYTES = 5;

/**
 * One unary call from `call` to its outcome: handle to its caller, reader of the response to the
 * connection that carries it. Everything that is kept for the call is in this object.
 */
export class UnaryCall extends Deadlined implements CallHandle, CarriedCall {
  /** The stream that carries it, while it is under way; null before it was sent. */
  stream: CallStream | null = null;
  sentAt = 0;
  settled = false;
  private returned = false;
  private status = -1;
  private details = '';
  private headersSeen = false;
  /** The start of a prefix that came in pieces. */
  private head: Buffer | null = null;
  private message: Buffer | null = null;
  /** Of what the peer compresses, though nobody asked for it; null: it does not say that it does. */
  private decompressor: Decompressor | null = null;
  private compressed = false;
  private filled = 0;

  constructor(
    private readonly owner: CallOwner,
    readonly order: number,
    readonly method: string,
    readonly request: Uint8Array,
    deadline: number,
    private readonly observer: CallObserver,
  ) {
    super(deadline);
  }

  cancel(): void {
    this.stop(GrpcStatus.CANCELLED, 'cancelled by the gateway');
  }

  withdraw(): boolean {
    if (this.settled || this.stream !== null) return false;
    this.settle();
    return true;
  }

  override expire(): void {
    const { stream } = this;
    const busy = stream === null && this.owner.connected;
    this.fail(GrpcStatus.DEADLINE_EXCEEDED, 'no answer within the deadline', stream === null, busy);
    stream?.close(Http2Code.CANCEL);
  }

  attach(stream: CallStream): void {
    this.stream = stream;
  }

  onSent(): void {
    // Nobody waits for the request to leave.
  }

  onLeaving(): void {
    // The peer still answers it.
  }

  stop(status: number, message: string, neverSent: boolean = this.stream === null): void {
    if (this.settled) return;
    const { stream } = this;
    this.fail(status, message, neverSent);
    stream?.close(Http2Code.CANCEL);
  }

  stopLater(status: number, message: string): void {
    queueMicrotask(() => this.stop(status, message));
  }

  takeBack(): boolean {
    if (this.returned) return false;
    this.stream = null;
    this.returned = true;
    return true;
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
    } else if (!this.headersSeen) {
      const refusal = refusalOf(httpStatus, contentType);
      if (refusal !== null) this.stop(refusal.status, refusal.message, false);
      this.decompressor = decompressorOf(encoding) ?? null;
    }
    this.headersSeen = true;
  }

  receiveData(chunk: Buffer): void {
    if (this.settled || chunk.length === 0) return;
    if (this.message !== null) this.fill(chunk);
    else this.begin(this.head === null ? chunk : Buffer.concat([this.head, chunk]));
  }

  get complete(): boolean {
    if (this.status === -1) return false;
    return this.status !== GrpcStatus.OK || this.message?.length === this.filled;
  }

  receiveEnd(): void {
    if (this.settled) return;
    const { status, message } = this;
    if (status === -1) {
      this.fail(GrpcStatus.UNKNOWN, 'the peer ended the call without a status', false);
    } else if (status !== GrpcStatus.OK) {
      this.fail(status, this.details, false);
    } else if (message === null || message.length !== this.filled) {
      const reason =
        message === null ? 'status OK without a response' : 'the response is cut short';
      this.fail(GrpcStatus.INTERNAL, reason, false);
    } else this.deliver(message);
  }

  private deliver(message: Buffer): void {
    const { compressed, decompressor, owner } = this;
    let plain: Buffer | null = message;
    if (compressed && decompressor !== null) {
      plain = decompress(message, decompressor, owner.maxMessageBytes, (tooLarge, reason) =>
        this.fail(tooLarge ? GrpcStatus.RESOURCE_EXHAUSTED : GrpcStatus.INTERNAL, reason, false),
      );
    }
    if (plain === null) return;
    this.settle();
    this.observer.onResponse(plain);
  }

  receiveReset(code: number): void {
    if (this.complete) this.receiveEnd();
    else if (!this.settled) {
      const reason = `the peer reset the call (HTTP/2 code ${code})`;
      this.fail(statusOfReset(code), reason, code === Http2Code.REFUSED_STREAM);
    }
  }

  lose(reason: string, neverSent: boolean): void {
    if (this.complete) this.receiveEnd();
    else if (!this.settled) this.fail(GrpcStatus.UNAVAILABLE, reason, neverSent);
  }

  private begin(start: Buffer): void {
    if (start.length < PREFIX_BYTES) {
      this.head = start;
      return;
    }
    this.head = null;
    const length = start.readUInt32BE(1);
    this.compressed = start[0] !== 0;
    if (this.compressed && this.decompressor === null) {
      this.stop(GrpcStatus.INTERNAL, 'the response is compressed', false);
    } else if (length > this.owner.maxMessageBytes) {
      const limit = `the limit is ${this.owner.maxMessageBytes}`;
      const reason = `a response of ${length} bytes, ${limit}`;
      this.stop(GrpcStatus.RESOURCE_EXHAUSTED, reason, false);
    } else if (start.length === PREFIX_BYTES + length) {
      this.message = start.subarray(PREFIX_BYTES);
      this.filled = length;
    } else {
      this.message = Buffer.allocUnsafe(length);
      this.fill(start.subarray(PREFIX_BYTES));
    }
  }

  private fill(chunk: Buffer): void {
    const message = this.message as Buffer;
    if (chunk.length > message.length - this.filled) {
      this.stop(GrpcStatus.INTERNAL, 'more than one response to a unary call', false);
      return;
    }
    message.set(chunk, this.filled);
    this.filled += chunk.length;
  }

  private fail(status: number, message: string, neverSent: boolean, busy = false): void {
    this.settle();
    const failure = { status, message: statusLine(message), neverSent };
    this.observer.onFailure(busy ? { ...failure, busy } : failure);
  }

  private settle(): void {
    this.settled = true;
    this.owner.onSettled(this);
    this.stream = null;
  }
}

/** The time left of a call as `grpc-timeout` wants it: at most eight digits and a unit. */
export function grpcTimeout(ms: number): string {
  const rounded = Math.max(1, Math.ceil(ms));
  if (rounded < 100_000_000) return `${rounded}m`;
  return `${Math.min(99_999_999, Math.ceil(rounded / 1000))}S`;
}

/** A message with its prefix, in bytes of its own. */
export function prefixed(message: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(PREFIX_BYTES + message.length);
  framed[0] = 0;
  framed.writeUInt32BE(message.length, 1);
  framed.set(message, PREFIX_BYTES);
  return framed;
}
