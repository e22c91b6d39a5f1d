import { PREFIX_BYTES, prefixed } from '../unary-call.js';
import type { FrameWriter } from './frame-writer.js';
import type { FramedStream, StreamUser } from './framed-stream.js';
import { FIRST_WINDOW, Flag, FrameType } from './frames.js';
import type { PeerSettings } from './peer-settings.js';

/** Frames above this gain nothing, and a large one would hold up what is behind it. */
const MAX_FRAME = 64 * 1_024;

/** Sends messages as far as the windows of the peer go; the rest waits, in order. */
export class SendQueue<User extends StreamUser> {
  /** What the peer takes on all streams together, bytes. */
  window = FIRST_WINDOW;
  /** Bytes that wait. */
  bytes = 0;
  /**
   * Streams that wait for the window of the connection. Those that wait for their own are not looked at when it opens:
   * a peer that opens it byte by byte must not have a thousand streams gone through each time.
   */
  private readonly waiting = new Set<FramedStream<User>>();

  /**
   * @param endWith writes what ends a stream behind its messages, as trailers do; null: its last DATA frame says
   *   that it ends.
   */
  constructor(
    private readonly writer: FrameWriter,
    private readonly peer: PeerSettings,
    private readonly endWith: ((stream: FramedStream<User>) => void) | null,
  ) {}

  /** Sends one message behind those before it, and ends a stream that `ends`. @returns whether it has left at once. */
  write(stream: FramedStream<User>, message: Uint8Array): boolean {
    if (stream.unsent === null && this.sendAtOnce(stream, message)) return true;
    this.wait(stream, message);
    return false;
  }

  /** Ends a stream behind the messages that wait on it. */
  end(stream: FramedStream<User>): void {
    if (stream.ends) return;
    stream.ends = true;
    if (stream.unsent !== null) return;
    if (this.endWith === null) this.writer.head(0, FrameType.DATA, Flag.END_STREAM, stream.id);
    else this.endWith(stream);
  }

  /** The window of the connection has opened. */
  pump(): void {
    for (const stream of this.waiting) {
      if (this.window <= 0) return;
      this.advance(stream);
    }
  }

  /** The window of a stream has opened. */
  goOn(stream: FramedStream<User>): void {
    if (stream.unsent !== null) this.advance(stream);
  }

  /** The stream has ended; what waits of it is not sent. */
  drop(stream: FramedStream<User>): void {
    this.waiting.delete(stream);
    this.bytes -= stream.unsent?.length ?? 0;
    for (const message of stream.behind ?? []) this.bytes -= message.length;
    stream.behind = stream.unsent = null;
  }

  private sendAtOnce(stream: FramedStream<User>, message: Uint8Array): boolean {
    const total = PREFIX_BYTES + message.length;
    if (total > this.window || total > stream.window || total > this.peer.maxFrame) return false;
    this.window -= total;
    stream.window -= total;
    this.head(total, stream, stream.ends);
    this.writer.byte(0);
    this.writer.uint32(message.length);
    this.writer.bytes(message);
    if (stream.ends) this.endWith?.(stream);
    return true;
  }

  private head(length: number, stream: FramedStream<User>, last: boolean): void {
    const flags = last && this.endWith === null ? Flag.END_STREAM : 0;
    this.writer.head(length, FrameType.DATA, flags, stream.id);
  }

  private wait(stream: FramedStream<User>, message: Uint8Array): void {
    const unsent = prefixed(message);
    const first = stream.unsent === null;
    this.bytes += unsent.length;
    stream.keep(unsent);
    if (first) this.advance(stream);
  }

  private advance(stream: FramedStream<User>): void {
    let sent = 0;
    while (stream.unsent !== null) {
      const { unsent, behind } = stream;
      const frame = Math.min(unsent.length, this.peer.maxFrame, MAX_FRAME);
      const size = Math.min(frame, this.window, stream.window);
      if (size <= 0) break;
      const whole = size === unsent.length;
      this.window -= size;
      stream.window -= size;
      this.bytes -= size;
      this.head(size, stream, whole && stream.ends && (behind === null || behind.length === 0));
      this.writer.bytes(unsent.subarray(0, size));
      stream.unsent = whole ? (behind?.shift() ?? null) : unsent.subarray(size);
      if (whole) sent++;
    }
    if (sent > 0) this.tell(stream, sent);
    if (stream.unsent !== null && stream.window > 0) {
      this.waiting.add(stream);
      return;
    }
    this.waiting.delete(stream);
    if (stream.unsent === null && stream.ends) this.endWith?.(stream);
  }

  /** Later, for `write` has not returned yet where it did not leave all at once. */
  private tell(stream: FramedStream<User>, messages: number): void {
    queueMicrotask(() => stream.call.onSent(messages));
  }
}
