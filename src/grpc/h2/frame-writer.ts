import type { Socket } from 'node:net';
import { HEAD_BYTES } from './frames.js';

/** Frames of one turn of the event loop are gathered in pieces of so many bytes. */
const PIECE_BYTES = 32 * 1_024;

/** Gathers frames and writes those of one turn of the event loop at once. */
export class FrameWriter {
  private piece: Buffer = Buffer.alloc(0);
  private start = 0;
  private end = 0;
  private readonly full: Buffer[] = [];
  private scheduled = false;
  private closed = false;

  /** @param onFlush hears after every turn that wrote something. */
  constructor(
    private readonly socket: Socket,
    private readonly onFlush: () => void,
  ) {}

  /** Bytes given to the socket that the system has not taken yet. */
  get backlog(): number {
    return this.socket.writableLength;
  }

  /** Begins a frame; exactly `length` bytes of payload must follow. */
  head(length: number, type: number, flags: number, streamId: number): void {
    this.room(HEAD_BYTES + length);
    const { piece, end } = this;
    piece[end] = length >>> 16;
    piece[end + 1] = length >>> 8;
    piece[end + 2] = length;
    piece[end + 3] = type;
    piece[end + 4] = flags;
    piece.writeUInt32BE(streamId, end + 5);
    this.end = end + HEAD_BYTES;
  }

  bytes(payload: Uint8Array): void {
    this.piece.set(payload, this.end);
    this.end += payload.length;
  }

  uint32(value: number): void {
    this.end = this.piece.writeUInt32BE(value, this.end);
  }

  uint16(value: number): void {
    this.end = this.piece.writeUInt16BE(value, this.end);
  }

  byte(value: number): void {
    this.piece[this.end++] = value;
  }

  /** Bytes that are no frame: the preface. */
  raw(bytes: Uint8Array): void {
    this.room(bytes.length);
    this.bytes(bytes);
  }

  /** Writes what was gathered, now. */
  flush(): void {
    this.scheduled = false;
    if (this.closed || (this.end === this.start && this.full.length === 0)) return;
    const { full } = this;
    if (full.length === 0) {
      this.socket.write(this.piece.subarray(this.start, this.end));
    } else {
      this.socket.cork();
      for (const piece of full.splice(0)) this.socket.write(piece);
      if (this.end > this.start) this.socket.write(this.piece.subarray(this.start, this.end));
      this.socket.uncork();
    }
    // The rest of the piece is free: what was written is the socket's until it is sent.
    this.start = this.end;
    this.onFlush();
  }

  /** Nothing is written any more. */
  close(): void {
    this.closed = true;
  }

  private room(bytes: number): void {
    if (!this.scheduled && !this.closed) {
      this.scheduled = true;
      setImmediate(() => this.flush());
    }
    if (this.piece.length - this.end >= bytes) return;
    if (this.end > this.start) this.full.push(this.piece.subarray(this.start, this.end));
    this.piece = Buffer.allocUnsafeSlow(Math.max(PIECE_BYTES, bytes));
    this.start = this.end = 0;
  }
}
