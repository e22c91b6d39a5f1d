import { PREFIX_BYTES } from '../unary-call.js';
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
    const total = PREFIX_BYTES + message.length;
    if (total <= this.window && total <= stream.window && total <= this.peer.maxFrame) {
      this.window -= total;
      stream.window -= total;
      this.writer.head(total, FrameType.DATA, Flag.END_STREAM, stream.id);
      this.writer.byte(0);
      this.writer.uint32(message.length);
      this.writer.bytes(message);
      return;
    }
    const unsent = Buffer.allocUnsafe(total);
    unsent[0] = 0;
    unsent.writeUInt32BE(message.length, 1);
    unsent.set(message, PREFIX_BYTES);
    stream.unsent = unsent;
    this.bytes += total;
    this.waiting.add(stream);
    this.advance(stream);
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
    stream.unsent = null;
  }

  private advance(stream: FramedStream): void {
    while (stream.unsent !== null) {
      const { unsent } = stream;
      const frame = Math.min(unsent.length, this.peer.maxFrame, MAX_FRAME);
      const size = Math.min(frame, this.window, stream.window);
      if (size <= 0) return;
      const last = size === unsent.length;
      this.window -= size;
      stream.window -= size;
      this.bytes -= size;
      this.writer.head(size, FrameType.DATA, last ? Flag.END_STREAM : 0, stream.id);
      this.writer.bytes(unsent.subarray(0, size));
      stream.unsent = last ? null : unsent.subarray(size);
      if (last) this.waiting.delete(stream);
    }
  }
}
