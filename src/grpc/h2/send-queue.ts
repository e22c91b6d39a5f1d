import { PREFIX_BYTES, prefixed } from '../unary-call.js';
import type { FramedStream } from './call-stream.js';
import type { FrameWriter } from './frame-writer.js';
import { FIRST_WINDOW, Flag, FrameType } from './frames.js';
import type { PeerSettings } from './peer-settings.js';

/** Frames above this gain nothing, and a large one would hold up what is behind it. */
const MAX_FRAME = 64 * 1_024;

/** Sends messages as far as the windows of the peer go; the rest waits, in order. */
export class SendQueue {
  /** What the peer takes on all streams together, bytes. */
  window = FIRST_WINDOW;
  /** Bytes that wait. */
  bytes = 0;
  private readonly waiting = new Set<FramedStream>();

  constructor(
    private readonly writer: FrameWriter,
    private readonly peer: PeerSettings,
  ) {}

  /** Sends a message with its prefix and ends the stream, at once or as the windows open. */
  send(stream: FramedStream, message: Uint8Array): void {
    if (!this.sendAtOnce(stream, message)) this.wait(stream, message);
  }

  /** Sends one message of several, behind those before it. @returns whether it has left at once. */
  write(stream: FramedStream, message: Uint8Array): boolean {
    if (stream.unsent === null && this.sendAtOnce(stream, message)) return true;
    this.wait(stream, message);
    return false;
  }

  /** Ends a stream behind the messages that wait on it. */
  end(stream: FramedStream): void {
    if (stream.ends) return;
    stream.ends = true;
    if (stream.unsent === null) this.writer.head(0, FrameType.DATA, Flag.END_STREAM, stream.id);
  }

  /** Windows have opened. */
  pump(): void {
    for (const stream of this.waiting) {
      if (this.window <= 0) return;
      this.advance(stream);
    }
  }

  /** The stream has ended; what waits of it is not sent. */
  drop(stream: FramedStream): void {
    if (!this.waiting.delete(stream)) return;
    this.bytes -= stream.unsent?.length ?? 0;
    for (const message of stream.behind) this.bytes -= message.length;
    stream.behind.clear();
    stream.unsent = null;
  }

  private sendAtOnce(stream: FramedStream, message: Uint8Array): boolean {
    const total = PREFIX_BYTES + message.length;
    if (total > this.window || total > stream.window || total > this.peer.maxFrame) return false;
    this.window -= total;
    stream.window -= total;
    this.writer.head(total, FrameType.DATA, stream.ends ? Flag.END_STREAM : 0, stream.id);
    this.writer.byte(0);
    this.writer.uint32(message.length);
    this.writer.bytes(message);
    return true;
  }

  private wait(stream: FramedStream, message: Uint8Array): void {
    const unsent = prefixed(message);
    this.bytes += unsent.length;
    if (stream.unsent !== null) {
      stream.behind.push(unsent);
      return;
    }
    stream.unsent = unsent;
    this.waiting.add(stream);
    this.advance(stream);
  }

  private advance(stream: FramedStream): void {
    let sent = 0;
    while (stream.unsent !== null) {
      const { unsent } = stream;
      const frame = Math.min(unsent.length, this.peer.maxFrame, MAX_FRAME);
      const size = Math.min(frame, this.window, stream.window);
      if (size <= 0) break;
      const whole = size === unsent.length;
      const last = whole && stream.ends && stream.behind.length === 0;
      this.window -= size;
      stream.window -= size;
      this.bytes -= size;
      this.writer.head(size, FrameType.DATA, last ? Flag.END_STREAM : 0, stream.id);
      this.writer.bytes(unsent.subarray(0, size));
      stream.unsent = whole ? (stream.behind.shift() ?? null) : unsent.subarray(size);
      if (whole) sent++;
    }
    if (stream.unsent === null) this.waiting.delete(stream);
    if (sent > 0) this.sent(stream, sent);
  }

  /** Told later, for `write` has not returned yet where it did not leave all at once. */
  private sent(stream: FramedStream, messages: number): void {
    if (stream.call.request === null) queueMicrotask(() => stream.call.onSent(messages));
  }
}
