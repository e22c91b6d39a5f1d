import { Http2Code } from '../status-mapping.js';
import { ConnectionError } from './connection-error.js';
import { FRAME_PAYLOAD, Flag, FrameType, HEAD_BYTES, MAX_HEADERS } from './frames.js';

/** Frames of one header block: the largest one fills 64, and each takes memory of its own. */
const MAX_BLOCK_FRAMES = 4_096;

/** Hears of frames; header blocks are whole and without padding. Payloads are the hearer's to keep. */
export interface FrameSink {
  /** @param counted bytes that count in flow control: the payload and its padding. */
  onData(streamId: number, payload: Buffer, counted: number, end: boolean): void;
  onHeaders(streamId: number, block: Buffer, end: boolean): void;
  onReset(streamId: number, code: number): void;
  onSettings(payload: Buffer, ack: boolean): void;
  onPing(payload: Buffer, ack: boolean): void;
  onGoaway(lastStreamId: number, code: number): void;
  onWindowUpdate(streamId: number, increment: number): void;
}

/** Cuts what a peer sends into frames and checks their form (RFC 9113 section 6). */
export class FrameReader {
  /** What is left of the last bytes: less than a frame. */
  private rest: Buffer | null = null;
  private first = true;
  /** A header block that goes on in CONTINUATION frames. */
  private parts: Buffer[] = [];
  private partBytes = 0;
  private blockStream = 0;
  private blockEnds = false;

  /** @param maxHeaders largest header block taken, bytes. */
  constructor(
    private readonly sink: FrameSink,
    private readonly maxHeaders = MAX_HEADERS,
  ) {}

  /** @throws {ConnectionError} where the bytes are no HTTP/2. */
  read(chunk: Buffer): void {
    const bytes = this.rest === null ? chunk : Buffer.concat([this.rest, chunk]);
    let at = 0;
    while (bytes.length - at >= HEAD_BYTES) {
      const length = bytes.readUIntBE(at, 3);
      this.checkHead(bytes, at, length);
      const next = at + HEAD_BYTES + length;
      if (next > bytes.length) break;
      this.frame(bytes, at, next);
      at = next;
    }
    this.rest = at === bytes.length ? null : bytes.subarray(at);
  }

  private checkHead(bytes: Buffer, at: number, length: number): void {
    const acknowledges = ((bytes[at + 4] as number) & Flag.ACK) !== 0;
    const settings = bytes[at + 3] === FrameType.SETTINGS && !acknowledges;
    if (this.first && !settings) {
      throw fault('the peer does not speak HTTP/2: its first frame is no SETTINGS');
    }
    if (length > FRAME_PAYLOAD) {
      throw new ConnectionError(Http2Code.FRAME_SIZE_ERROR, `a frame of ${length} bytes`);
    }
  }

  private frame(bytes: Buffer, at: number, end: number): void {
    const type = bytes[at + 3] as number;
    const flags = bytes[at + 4] as number;
    const streamId = bytes.readUInt32BE(at + 5) & 0x7fffffff;
    const start = at + HEAD_BYTES;
    this.first = false;
    if (
      this.blockStream !== 0 &&
      (type !== FrameType.CONTINUATION || streamId !== this.blockStream)
    ) {
      throw fault('a frame within a header block');
    }
    switch (type) {
      case FrameType.DATA:
        return this.data(bytes, start, end, flags, streamId);
      case FrameType.HEADERS:
        return this.headers(bytes, start, end, flags, streamId);
      case FrameType.CONTINUATION:
        if (this.blockStream === 0) throw fault('CONTINUATION without HEADERS');
        return this.block(bytes.subarray(start, end), flags);
      case FrameType.PUSH_PROMISE:
        throw fault('PUSH_PROMISE, which was not allowed');
      case FrameType.WINDOW_UPDATE:
        size(end - start, 4, 'WINDOW_UPDATE');
        return this.sink.onWindowUpdate(streamId, bytes.readUInt32BE(start) & 0x7fffffff);
      case FrameType.RST_STREAM:
        size(end - start, 4, 'RST_STREAM');
        streamOnly(streamId, 'RST_STREAM');
        return this.sink.onReset(streamId, bytes.readUInt32BE(start));
      default:
        return this.ofConnection(type, bytes.subarray(start, end), flags, streamId);
    }
  }

  private ofConnection(type: number, payload: Buffer, flags: number, streamId: number): void {
    const ack = (flags & Flag.ACK) !== 0;
    switch (type) {
      case FrameType.SETTINGS:
        connectionOnly(streamId, 'SETTINGS');
        if (payload.length % 6 !== 0 || (ack && payload.length > 0)) {
          throw new ConnectionError(Http2Code.FRAME_SIZE_ERROR, 'SETTINGS of a wrong size');
        }
        return this.sink.onSettings(payload, ack);
      case FrameType.PING:
        connectionOnly(streamId, 'PING');
        size(payload.length, 8, 'PING');
        return this.sink.onPing(payload, ack);
      case FrameType.GOAWAY:
        connectionOnly(streamId, 'GOAWAY');
        if (payload.length < 8) size(payload.length, 8, 'GOAWAY');
        return this.sink.onGoaway(payload.readUInt32BE(0) & 0x7fffffff, payload.readUInt32BE(4));
      default:
      // PRIORITY, and frames of kinds that we do not know, say nothing to us (section 4.1).
    }
  }

  private data(bytes: Buffer, start: number, end: number, flags: number, streamId: number): void {
    streamOnly(streamId, 'DATA');
    const counted = end - start;
    const ends = (flags & Flag.END_STREAM) !== 0;
    if ((flags & Flag.PADDED) === 0) {
      this.sink.onData(streamId, bytes.subarray(start, end), counted, ends);
      return;
    }
    const payload = unpadded(bytes.subarray(start, end), 0);
    this.sink.onData(streamId, payload, counted, ends);
  }

  private headers(
    bytes: Buffer,
    start: number,
    end: number,
    flags: number,
    streamId: number,
  ): void {
    streamOnly(streamId, 'HEADERS');
    let payload = bytes.subarray(start, end);
    const priority = (flags & Flag.PRIORITY) === 0 ? 0 : 5;
    if ((flags & Flag.PADDED) !== 0) payload = unpadded(payload, priority);
    else if (payload.length < priority) throw fault('HEADERS too short for its priority');
    else payload = payload.subarray(priority);
    this.blockStream = streamId;
    this.blockEnds = (flags & Flag.END_STREAM) !== 0;
    this.block(payload, flags);
  }

  private block(part: Buffer, flags: number): void {
    this.partBytes += part.length;
    if (this.partBytes > this.maxHeaders || this.parts.length >= MAX_BLOCK_FRAMES) {
      throw new ConnectionError(Http2Code.ENHANCE_YOUR_CALM, 'a header block without end');
    }
    if (part.length > 0 || this.parts.length === 0) this.parts.push(part);
    if ((flags & Flag.END_HEADERS) === 0) return;
    const block = this.parts.length === 1 ? (this.parts[0] as Buffer) : Buffer.concat(this.parts);
    const streamId = this.blockStream;
    this.parts = [];
    this.partBytes = this.blockStream = 0;
    this.sink.onHeaders(streamId, block, this.blockEnds);
  }
}

/** Strips the length byte, `skip` bytes behind it, and the padding (section 6.1). */
function unpadded(payload: Buffer, skip: number): Buffer {
  const end = payload.length - (payload[0] ?? 0);
  if (payload.length === 0 || end < 1 + skip) throw fault('padding longer than its frame');
  return payload.subarray(1 + skip, end);
}

function size(actual: number, wanted: number, name: string): void {
  if (actual === wanted) return;
  throw new ConnectionError(Http2Code.FRAME_SIZE_ERROR, `${name} of ${actual} bytes`);
}

function streamOnly(streamId: number, name: string): void {
  if (streamId === 0) throw fault(`${name} on stream 0`);
}

function connectionOnly(streamId: number, name: string): void {
  if (streamId !== 0) throw fault(`${name} on stream ${streamId}`);
}

function fault(message: string): ConnectionError {
  return new ConnectionError(Http2Code.PROTOCOL_ERROR, message);
}
