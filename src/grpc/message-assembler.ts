import { PREFIX_BYTES } from './unary-call.js';

/** Hears of the messages of a stream. */
export interface AssembledMessages {
  readonly maxMessageBytes: number;
  /** Whether the peer may compress: whoever announced no encoding takes none. */
  readonly takesCompressed: boolean;
  /** @returns whether to go on: after false the rest of the bytes is left to the caller of `take`. */
  onMessage(message: Buffer, compressed: boolean): boolean;
  /** The bytes are no gRPC messages that we take; nothing follows. */
  onUnusable(tooLarge: boolean, reason: string): void;
}

/**
 * A message that comes in pieces is given so much memory at first, and more as it comes: a prefix of five bytes may
 * claim the largest message on every stream, and none of it need follow.
 */
const FIRST_BYTES = 16_384;

/** Cuts the bytes of an HTTP/2 stream into gRPC messages (grpc/grpc, doc/PROTOCOL-HTTP2.md). */
export class MessageAssembler {
  /** The start of a prefix that came in pieces. */
  private head: Buffer | null = null;
  /** What there is of a message that comes in pieces, and room for more of it. */
  private message: Buffer | null = null;
  /** Of the whole message. */
  private length = 0;
  private filled = 0;
  private compressed = false;
  private broken = false;

  constructor(private readonly sink: AssembledMessages) {}

  /** Whether the bytes so far end between two messages. */
  get whole(): boolean {
    return this.head === null && this.message === null && !this.broken;
  }

  /** @returns how many bytes were used: fewer than there are where the sink did not want to go on. */
  take(bytes: Buffer): number {
    let at = 0;
    let goesOn = true;
    while (at < bytes.length && goesOn && !this.broken) {
      if (this.message !== null) {
        const part = bytes.subarray(at, at + this.length - this.filled);
        at += part.length;
        goesOn = this.fill(this.message, part);
      } else if (this.head !== null || bytes.length - at < PREFIX_BYTES) {
        const part = bytes.subarray(at, at + PREFIX_BYTES - (this.head?.length ?? 0));
        at += part.length;
        goesOn = this.beginInPieces(part);
      } else {
        const length = this.lengthOf(bytes, at);
        const end = at + PREFIX_BYTES + length;
        if (this.broken) break;
        if (end <= bytes.length) {
          goesOn = this.sink.onMessage(bytes.subarray(at + PREFIX_BYTES, end), this.compressed);
          at = end;
        } else {
          this.begin(length);
          at += PREFIX_BYTES;
        }
      }
    }
    return this.broken ? bytes.length : at;
  }

  private beginInPieces(part: Buffer): boolean {
    const head = this.head === null ? Buffer.from(part) : Buffer.concat([this.head, part]);
    this.head = head;
    if (head.length < PREFIX_BYTES) return true;
    this.head = null;
    const length = this.lengthOf(head, 0);
    if (this.broken) return false;
    if (length === 0) return this.sink.onMessage(Buffer.alloc(0), this.compressed);
    this.begin(length);
    return true;
  }

  private begin(length: number): void {
    this.message = Buffer.allocUnsafe(Math.min(length, FIRST_BYTES));
    this.length = length;
    this.filled = 0;
  }

  private fill(message: Buffer, part: Buffer): boolean {
    const { filled, length } = this;
    const end = filled + part.length;
    const roomy = end > message.length ? this.widen(message, end) : message;
    roomy.set(part, filled);
    this.filled = end;
    if (end < length) return true;
    this.message = null;
    return this.sink.onMessage(roomy, this.compressed);
  }

  /** Twice the room, as far as the message needs it, so that its bytes are copied once or twice in all. */
  private widen(message: Buffer, needed: number): Buffer {
    const wider = Buffer.allocUnsafe(Math.min(this.length, Math.max(needed, 2 * message.length)));
    wider.set(message.subarray(0, this.filled));
    this.message = wider;
    return wider;
  }

  private lengthOf(bytes: Buffer, at: number): number {
    const length = bytes.readUInt32BE(at + 1);
    const limit = this.sink.maxMessageBytes;
    this.compressed = bytes[at] !== 0;
    if (this.compressed && !this.sink.takesCompressed) this.break(false, 'a message is compressed');
    else if (length > limit)
      this.break(true, `a message of ${length} bytes, the limit is ${limit}`);
    return length;
  }

  private break(tooLarge: boolean, reason: string): void {
    this.broken = true;
    this.sink.onUnusable(tooLarge, reason);
  }
}
