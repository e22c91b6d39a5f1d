import { MessageAssembler } from '../message-assembler.js';
import type { AssembledMessages } from '../message-assembler.js';
import type { Decompressor } from '../message-encoding.js';
import type { UnaryMethod } from '../server-method.js';
import { PREFIX_BYTES } from '../unary-call.js';
import { GrpcStatus } from '../unary-caller.js';
import type { FramedStream } from './framed-stream.js';
import { ServedCall } from './served-call.js';
import type { CallCarrier } from './served-call.js';

/** A unary call: one message in, one message or a status out. */
export class ServedUnary extends ServedCall implements AssembledMessages {
  private message: Buffer | null = null;
  /** Only for a message that comes in pieces. */
  private assembler: MessageAssembler | null = null;
  /** The method has the request and has not answered yet. */
  private handling = false;
  private answered = false;

  constructor(
    carrier: CallCarrier,
    private readonly method: UnaryMethod,
    deadline: number,
    decompressor: Decompressor | null,
    maxMessageBytes: number,
  ) {
    super(carrier, deadline, decompressor, maxMessageBytes);
  }

  protected takeData(chunk: Buffer): void {
    const { length } = chunk;
    const whole =
      this.assembler === null &&
      this.message === null &&
      length >= PREFIX_BYTES &&
      chunk[0] === 0 &&
      chunk.readUInt32BE(1) === length - PREFIX_BYTES &&
      length - PREFIX_BYTES <= this.maxMessageBytes;
    if (whole) this.message = chunk.subarray(PREFIX_BYTES);
    else if (length > 0) (this.assembler ??= new MessageAssembler(this)).take(chunk);
  }

  onMessage(message: Buffer, compressed: boolean): boolean {
    if (this.message === null) this.message = this.plain(message, compressed);
    else this.onUnusable(false, 'more than one request to a unary method');
    return this.stream !== null;
  }

  protected takeEnd(): void {
    const { message, stream } = this;
    if (stream === null || stream.ends) return;
    if (message === null || this.assembler?.whole === false) {
      this.onUnusable(false, 'a unary call without a whole request');
      return;
    }
    this.message = null;
    this.handling = true;
    this.handle(message);
  }

  onSent(): void {
    // Nobody waits for the answer to leave.
  }

  onOver(): void {
    this.stream = null;
    if (!this.handling) this.carrier.release();
  }

  private handle(request: Buffer): void {
    try {
      this.method.handle(
        request,
        this.carrier.peerName,
        (response) => this.respond(response),
        (status, details) => this.refuse(status, details),
      );
    } catch {
      this.refuse(GrpcStatus.INTERNAL, 'internal error');
    }
  }

  private respond(response: Uint8Array): void {
    const stream = this.answerable();
    const { maxSent } = this.carrier;
    if (stream === null) return;
    if (response.length > maxSent) {
      const details = `a response of ${response.length} bytes, the limit is ${maxSent}`;
      this.finish(GrpcStatus.RESOURCE_EXHAUSTED, details);
      return;
    }
    this.carrier.sendHeaders(stream);
    stream.ends = true;
    stream.write(response);
  }

  private refuse(status: number, details: string): void {
    if (this.answerable() !== null) this.finish(status, details);
  }

  /** The method answers. @returns the stream, where this is its first answer and somebody waits for it. */
  private answerable(): FramedStream<ServedCall> | null {
    if (this.answered) return null;
    this.answered = true;
    this.handling = false;
    if (this.stream === null) this.carrier.release();
    return this.stream;
  }
}
