import { ErrorCode } from './error-catalogue.js';
import { FRAME_PREFIX_BYTES, MAX_FRAME_BYTES } from './limits.js';

/** Why a stream of frames cannot be read on: code 400 (empty frame) or 413 (above the limit). */
export interface BadFrame {
  readonly code: ErrorCode;
  readonly reason: string;
}

/** First size of the buffer for a frame that arrives in parts; it doubles as bytes really come. */
const FIRST_PART_BYTES = 1024;

const NOTHING = new Uint8Array(0);

/**
 * Splits a byte stream into frames (WIRE.md, "Client edge": 4-byte big-endian length, then as many
 * bytes), whatever way the stream was cut. `feed` gives it bytes, `next` takes frames out until it
 * returns null. A frame that lies whole in one chunk comes out as a view of that chunk; only a frame
 * in parts is copied. What an announced length can make it hold never exceeds twice the bytes received.
 */
export class FrameDecoder {
  private chunk: Uint8Array = NOTHING;
  private offset = 0;
  private prefix = 0;
  private prefixBytes = 0;
  /** Length of the frame that is being read, -1 between frames. */
  private length = -1;
  private part: Uint8Array | null = null;
  /** Bytes that are here of the body of a frame that is not complete. */
  partBytes = 0;
  private bad: BadFrame | null = null;

  constructor(private readonly maxFrameBytes: number = MAX_FRAME_BYTES) {}

  /** Why the stream cannot be read on, or null; `next` returns null for ever once it is set. */
  get failure(): BadFrame | null {
    return this.bad;
  }

  /** Whether a frame has begun and not ended. */
  get midFrame(): boolean {
    return this.prefixBytes > 0 || this.length !== -1;
  }

  /** Bytes fed and not taken out yet. */
  get pendingBytes(): number {
    return this.chunk.length - this.offset;
  }

  /** Takes the next bytes. The chunk must not change before `next` returned null or `detach` was called. */
  feed(chunk: Uint8Array): void {
    if (this.bad !== null) return;
    if (this.offset < this.chunk.length) {
      this.chunk = joined(this.chunk.subarray(this.offset), chunk);
    } else {
      this.chunk = chunk;
    }
    this.offset = 0;
  }

  /** Copies what was fed and not taken out, so that the caller may reuse its read buffer. */
  detach(): void {
    if (this.offset < this.chunk.length) {
      this.chunk = joined(this.chunk.subarray(this.offset), NOTHING);
    } else {
      this.chunk = NOTHING;
    }
    this.offset = 0;
  }

  /** The next whole frame, valid until the chunk it came from changes; null when bytes are missing. */
  next(): Uint8Array | null {
    while (this.bad === null && this.offset < this.chunk.length) {
      if (this.length === -1) {
        this.readPrefix();
      } else {
        const frame = this.readBody();
        if (frame !== null) return frame;
      }
    }
    // A view that is kept until the next frame comes, in every idle session, is old garbage then.
    this.chunk = NOTHING;
    this.offset = 0;
    return null;
  }

  private readPrefix(): void {
    while (this.offset < this.chunk.length && this.prefixBytes < FRAME_PREFIX_BYTES) {
      this.prefix = this.prefix * 256 + (this.chunk[this.offset++] as number);
      this.prefixBytes++;
    }
    if (this.prefixBytes < FRAME_PREFIX_BYTES) return;
    this.length = this.prefix;
    this.prefix = this.prefixBytes = 0;
    if (this.length === 0) {
      this.fail(ErrorCode.BadFrame, 'frame of length 0');
    } else if (this.length > this.maxFrameBytes) {
      const reason = `frame of ${this.length} bytes, the limit is ${this.maxFrameBytes}`;
      this.fail(ErrorCode.TooLarge, reason);
    }
  }

  private readBody(): Uint8Array | null {
    const missing = this.length - this.partBytes;
    const available = this.chunk.length - this.offset;
    const taken = this.chunk.subarray(this.offset, this.offset + Math.min(missing, available));
    this.offset += taken.length;
    if (this.part === null && taken.length === missing) {
      this.length = -1;
      return taken;
    }
    this.keep(taken);
    if (this.partBytes < this.length) return null;
    const frame = (this.part as unknown as Uint8Array).subarray(0, this.length);
    this.part = null;
    this.partBytes = 0;
    this.length = -1;
    return frame;
  }

  private keep(bytes: Uint8Array): void {
    const needed = this.partBytes + bytes.length;
    if (this.part === null || this.part.length < needed) {
      const doubled = Math.max(FIRST_PART_BYTES, needed, (this.part?.length ?? 0) * 2);
      const larger = new Uint8Array(Math.min(doubled, this.length));
      if (this.part !== null) larger.set(this.part.subarray(0, this.partBytes));
      this.part = larger;
    }
    this.part.set(bytes, this.partBytes);
    this.partBytes = needed;
  }

  private fail(code: ErrorCode, reason: string): void {
    this.bad = { code, reason };
    this.chunk = NOTHING;
    this.offset = 0;
  }
}

/** A copy of both; no Buffer, for browsers have none. */
function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
