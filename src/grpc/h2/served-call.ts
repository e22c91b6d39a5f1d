import { Deadlined } from '../deadline-queue.js';
import { decompress } from '../message-encoding.js';
import type { Decompressor } from '../message-encoding.js';
import { Http2Code } from '../status-mapping.js';
import { GrpcStatus } from '../unary-caller.js';
import type { EndpointCall } from './framed-endpoint.js';
import type { FramedStream } from './framed-stream.js';

/** The connection of a call that is served, as the call sees it. */
export interface CallCarrier {
  /** The caller, `127.0.0.1:5000`. */
  readonly peerName: string;
  /** Largest message sent, bytes. */
  readonly maxSent: number;
  /** Sends the headers of the answer. */
  sendHeaders(stream: FramedStream<ServedCall>): void;
  /** The method has done with the call, and the stream is over: another one may take its place. */
  release(): void;
}

/** One call that a server answers: what both kinds have in common. */
export abstract class ServedCall extends Deadlined implements EndpointCall {
  /** What the trailers say. */
  status: number = GrpcStatus.OK;
  details = '';
  headersSent = false;
  /** The caller has sent all of its messages. */
  requestEnded = false;
  readonly takesCompressed: boolean;
  /** Null before it has one, and once it is over. */
  protected stream: FramedStream<ServedCall> | null = null;

  /** @param decompressor null where the caller does not compress. @param maxMessageBytes largest message received. */
  constructor(
    protected readonly carrier: CallCarrier,
    deadline: number,
    private readonly decompressor: Decompressor | null,
    readonly maxMessageBytes: number,
  ) {
    super(deadline);
    this.takesCompressed = decompressor !== null;
  }

  /** The stream is there: the call begins. */
  begin(stream: FramedStream<ServedCall>): void {
    this.stream = stream;
  }

  override expire(): void {
    // An answer that the caller does not read is not waited for.
    if (this.stream?.ends === true) this.stream.close(Http2Code.CANCEL);
    else this.finish(GrpcStatus.DEADLINE_EXCEEDED, 'no answer within the deadline of the caller');
  }

  onUnusable(tooLarge: boolean, reason: string): void {
    this.finish(tooLarge ? GrpcStatus.RESOURCE_EXHAUSTED : GrpcStatus.INTERNAL, reason);
  }

  /** Ends the call with a status, behind what was written. */
  finish(status: number, details: string): void {
    const { stream } = this;
    if (stream === null || stream.ends) return;
    this.status = status;
    this.details = details;
    stream.end();
  }

  /** A message as it was before the caller compressed it; null where that ended the call. */
  protected plain(message: Buffer, compressed: boolean): Buffer | null {
    const { decompressor, maxMessageBytes } = this;
    if (!compressed || decompressor === null) return message;
    return decompress(message, decompressor, maxMessageBytes, (tooLarge, reason) =>
      this.onUnusable(tooLarge, reason),
    );
  }

  receiveData(chunk: Buffer): void {
    // RFC 9113 section 5.1, "half-closed (remote)".
    if (this.requestEnded) this.stream?.close(Http2Code.STREAM_CLOSED);
    else this.takeData(chunk);
  }

  /** The caller has ended its side of the stream. */
  receiveEnd(): void {
    if (this.requestEnded) return;
    this.requestEnded = true;
    this.takeEnd();
  }

  protected abstract takeData(chunk: Buffer): void;
  protected abstract takeEnd(): void;
  abstract onSent(messages: number): void;
  /** The stream is over: all was sent, the caller has reset it, or the connection is gone. Called once. */
  abstract onOver(): void;
}
