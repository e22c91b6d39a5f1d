import { MAX_VARINT_BYTES, readVarint, varintLength } from './varint.js';

/** Payloads that are handed out as they arrive. */
export const STREAMED = -1;
/** Payloads that nobody wants. */
export const SKIPPED = -2;

/**
 * What becomes of frames of a type: STREAMED, SKIPPED, or how many bytes are collected at most. Called
 * as soon as the type is known; throws where it must not come now.
 */
export type FramePolicy = (type: number) => number;

/**
 * What `next` found. data: bytes of a streamed payload, in `payload`; frame: a whole collected payload
 * there; oversized: one that is longer than may be collected, which is skipped; null: bytes are missing.
 */
export type Found = 'data' | 'frame' | 'oversized' | null;

const NOTHING = new Uint8Array(0);
/** First size of the buffer for a payload that arrives in parts; it doubles as bytes really come. */
const FIRST_PART_BYTES = 256;

/**
 * Splits the bytes of a stream into frames (RFC 9114 section 7.1: type, length, payload), whatever
 * way they were cut. Capsules look the same (RFC 9297 section 3.2) and are read with it, too. What an
 * announced length makes it hold never exceeds twice the bytes received.
 */
export class FrameReader {
  /** Of what `next` returned. */
  type = -1;
  payload: Uint8Array = NOTHING;
  private chunk: Uint8Array = NOTHING;
  private at = 0;
  private readonly header = new Uint8Array(2 * MAX_VARINT_BYTES);
  private headerBytes = 0;
  /** Bytes of the payload that are still to come; -1 while the header is read. */
  private left = -1;
  private policy = SKIPPED;
  private part: Buffer | null = null;
  private partBytes = 0;

  constructor(private readonly policyOf: FramePolicy) {}

  /** Whether a frame has begun and not ended. */
  get midFrame(): boolean {
    return this.headerBytes > 0 || this.left >= 0;
  }

  /** Takes the next bytes, after `next` returned null. They must not change before `detach`. */
  feed(chunk: Uint8Array): void {
    this.chunk = chunk;
    this.at = 0;
  }

  /** Copies what was fed and not read, so that the caller may use its read buffer again. */
  detach(): void {
    const left = this.at < this.chunk.length;
    this.chunk = left ? Buffer.from(this.chunk.subarray(this.at)) : NOTHING;
    this.at = 0;
  }

  /** @throws what the policy throws; the stream cannot be read on then. */
  next(): Found {
    for (;;) {
      if (this.left < 0) {
        if (!this.readHeader()) return null;
        if (this.policy >= 0 && this.left > this.policy) {
          this.policy = SKIPPED;
          return 'oversized';
        }
      }
      if (this.policy >= 0) return this.collect();
      const bytes = this.take();
      if (bytes.length === 0 && this.left > 0) return null;
      if (this.left === 0) this.left = -1;
      if (this.policy === STREAMED && bytes.length > 0) {
        this.payload = bytes;
        return 'data';
      }
    }
  }

  private collect(): Found {
    const length = this.left;
    const whole = this.part === null;
    const bytes = this.take();
    if (!whole || this.left > 0) this.keep(bytes, length);
    if (this.left > 0) return null;
    this.payload = this.part === null ? bytes : this.part.subarray(0, this.partBytes);
    this.part = null;
    this.partBytes = 0;
    this.left = -1;
    return 'frame';
  }

  private take(): Uint8Array {
    const bytes = this.chunk.subarray(this.at, Math.min(this.chunk.length, this.at + this.left));
    this.at += bytes.length;
    this.left -= bytes.length;
    return bytes;
  }

  private keep(bytes: Uint8Array, left: number): void {
    const needed = this.partBytes + bytes.length;
    if (this.part === null || this.part.length < needed) {
      const doubled = Math.max(FIRST_PART_BYTES, 2 * needed);
      const larger = Buffer.allocUnsafeSlow(Math.min(doubled, this.partBytes + left));
      if (this.part !== null) this.part.copy(larger, 0, 0, this.partBytes);
      this.part = larger;
    }
    this.part.set(bytes, this.partBytes);
    this.partBytes = needed;
  }

  /** Two integers, byte by byte: they are short, and may be cut anywhere. */
  private readHeader(): boolean {
    const { header } = this;
    while (this.at < this.chunk.length) {
      header[this.headerBytes++] = this.chunk[this.at++] as number;
      const typeBytes = varintLength(header[0] as number);
      if (this.headerBytes < typeBytes) continue;
      if (this.headerBytes === typeBytes) {
        this.type = readVarint(header, 0);
        this.policy = this.policyOf(this.type);
      } else if (this.headerBytes === typeBytes + varintLength(header[typeBytes] as number)) {
        this.left = readVarint(header, typeBytes);
        this.headerBytes = 0;
        return true;
      }
    }
    return false;
  }
}
