import type { QuicClosed } from '../quic/quic-closed.js';
import type { QuicStream, QuicStreamObserver } from '../quic/quic-stream.js';
import { FrameReader } from './frame-reader.js';
import { FrameType, dataHeader, encodeFrame } from './frames.js';
import { Http3Code, Http3Fault, connectionFault, streamFault } from './http3-fault.js';
import { messageFramePolicy } from './message-frames.js';
import type { MessagePhase } from './message-frames.js';
import { MAX_FIELD_SECTION_BYTES, MIN_SWEPT_BYTES, UNWANTED_BODY_BYTES } from './limits.js';
import { decodeFieldSection } from './qpack-decoder.js';
import { encodeFieldSection } from './qpack-encoder.js';
import type { Field } from './qpack-static-table.js';
import { trailersOf } from './request-head.js';

/** Who reads the body of a message and writes the other one's. */
export interface BodyObserver {
  /** There may be bytes, or the end: call `read` until it returns null. */
  onReadable(): void;
  /** What waits to be sent fell to the mark of `wakeBelow`. */
  onDrained(): void;
  /** The peer broke off what it sends; `code` is what it said. */
  onAborted(code: number): void;
  /** The peer wants no more of what we send. */
  onStopped(code: number): void;
  /** The whole connection is gone. */
  onGone(closed: QuicClosed): void;
}

/** What a message needs of its connection. */
export interface MessageHost {
  /**
   * The header section came; null: it is larger than we take. Answer, or bind an observer to the body.
   * @throws {Http3Fault} where it is malformed.
   */
  onHead(message: MessageStream, fields: readonly Field[] | null): void;
  /** The peer broke a rule on this stream, or broke the stream off. */
  onVain(fault: Http3Fault): void;
  /** Nothing more is read nor written. */
  onOver(message: MessageStream): void;
  /** Whether the signal of WebTransport streams may stand only where a stream begins; not here, then. */
  readonly speaksWebTransport?: boolean;
}

/**
 * One bidirectional stream with a request one way and its answer the other (RFC 9114 section 4.1):
 * each a header section, a body, perhaps trailers. Both sides of a connection use it.
 */
export class MessageStream implements QuicStreamObserver {
  /** The peer's message was read to its end. */
  readEnded = false;
  /** The peer's trailers, once they came. */
  trailers: ReadonlyMap<string, string> | null = null;
  /** For the connection: seen by its last sweep. */
  swept = false;
  private body: BodyObserver | null = null;
  private phase: MessagePhase = 'head';
  private readonly reader = new FrameReader((type) =>
    messageFramePolicy(type, this.phase, this.dataOnly, this.host.speaksWebTransport === true),
  );
  /** Body bytes that were found and not read. */
  private pending: Uint8Array | null = null;
  private paused = false;
  private bodyLeft = Infinity;
  private bodyExact = false;
  private unwanted = 0;
  private dataOnly = false;
  private readDone = false;
  private writeDone = false;
  private over = false;
  /** What waited to be sent at the last sweep. */
  private sweptBytes = Infinity;

  constructor(
    private readonly stream: QuicStream,
    private readonly host: MessageHost,
  ) {
    stream.bind(this);
  }

  get id(): number {
    return this.stream.id;
  }

  /** Whether the header section is still to come. */
  get headless(): boolean {
    return this.phase === 'head';
  }

  /** Our message was ended or broken off. */
  get answered(): boolean {
    return this.writeDone;
  }

  get bufferedBytes(): number {
    return this.stream.bufferedBytes;
  }

  /** Whether anything written is not given to QUIC yet, the end included. */
  get wantsToSend(): boolean {
    return this.stream.wantsToSend;
  }

  /** For the connection's sweep: whether the peer has taken next to nothing of what waits since the last one. */
  stalls(): boolean {
    const before = this.sweptBytes;
    this.sweptBytes = this.stream.bufferedBytes;
    return this.sweptBytes > 0 && before - this.sweptBytes < MIN_SWEPT_BYTES;
  }

  /** Who reads the body; until then it is thrown away. */
  bind(body: BodyObserver): void {
    this.body = body;
  }

  /** After CONNECT: nothing but DATA follows the header section (RFC 9114 section 4.4). */
  allowDataOnly(): void {
    this.dataOnly = true;
  }

  /** The length that the body must have; more or less is malformed (RFC 9114 section 4.1.2). */
  expectBody(bytes: number): void {
    this.bodyLeft = bytes;
    this.bodyExact = true;
  }

  /** A header section, or trailers; with `end` nothing follows. */
  sendFields(fields: readonly Field[], end = false): void {
    if (this.writeDone) return;
    this.stream.write(encodeFrame(FrameType.HEADERS, encodeFieldSection(fields)));
    if (end) this.end();
  }

  /** Bytes of the body, which must not change afterwards. */
  write(chunk: Uint8Array): void {
    if (this.writeDone || chunk.length === 0) return;
    this.stream.write(dataHeader(chunk.length));
    this.stream.write(chunk);
  }

  end(): void {
    if (this.writeDone) return;
    this.writeDone = true;
    this.stream.end();
    this.settle();
  }

  /** Breaks off what we send, also where it was ended and waits. */
  reset(code: number): void {
    this.writeDone = true;
    this.stream.reset(code);
    this.settle();
  }

  /** Asks the peer to send no more; what it sent is thrown away. */
  stopReading(code: number): void {
    if (this.readDone) return;
    this.readDone = true;
    this.pending = null;
    this.stream.stopReading(code);
    this.settle();
  }

  /** Ends both directions. */
  abort(code: number): void {
    this.stopReading(code);
    this.reset(code);
  }

  /** For who reads the body, too: the peer broke a rule. It costs the stream, or the connection. */
  fail(fault: Http3Fault): void {
    this.host.onVain(fault);
    this.abort(fault.code);
    this.body?.onAborted(fault.code);
  }

  /** The next bytes of the body or null; valid until the next read of any stream. */
  read(): Uint8Array | null {
    try {
      this.advance();
    } catch (error) {
      this.failBy(error);
      return null;
    }
    const bytes = this.pending;
    this.pending = null;
    return bytes;
  }

  /** Delivers no more; what was found already is kept, and no more is read from QUIC. */
  pause(): void {
    this.paused = true;
  }

  /** Reads on; onReadable follows, not at once. */
  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    // QUIC delivers again only what was paused there.
    this.stream.pause();
    this.stream.resume();
  }

  wakeBelow(bytes: number): void {
    this.stream.wakeBelow(bytes);
  }

  onReadable(): void {
    if (this.readDone && !this.readEnded) return;
    try {
      // Also while paused: the end of a peer that has sent nothing else must be seen.
      if (this.phase === 'head' || this.paused) this.advance();
      if (this.phase !== 'head' && this.body === null && !this.paused) this.discard();
    } catch (error) {
      this.failBy(error);
    }
    if (this.phase !== 'head') this.body?.onReadable();
    this.keepRest();
  }

  onDrained(): void {
    this.body?.onDrained();
    this.settle();
  }

  onAborted(code: number): void {
    if (this.over) return;
    this.readDone = true;
    if (!this.writeDone) {
      this.host.onVain(streamFault('REQUEST_CANCELLED', 'the peer broke the stream off'));
    }
    if (this.body === null) this.reset(Http3Code.REQUEST_CANCELLED);
    this.body?.onAborted(code);
    this.settle();
  }

  onStopped(code: number): void {
    this.writeDone = true;
    this.body?.onStopped(code);
    this.settle();
  }

  /** For the connection: it is gone. */
  gone(closed: QuicClosed): void {
    this.over = this.readDone = this.writeDone = true;
    this.body?.onGone(closed);
  }

  /** Goes on to the next bytes of the body, over heads, trailers and frames that mean nothing. */
  private advance(): void {
    while (this.pending === null && !this.readDone) {
      const found = this.reader.next();
      if (found === 'data') {
        this.countBody(this.reader.payload.length);
        this.pending = this.reader.payload;
      } else if (found === 'frame') {
        this.takeFields(decodeFieldSection(this.reader.payload, MAX_FIELD_SECTION_BYTES));
      } else if (found === 'oversized') {
        this.takeFields(null);
      } else {
        const chunk = this.stream.read();
        if (chunk !== null) this.reader.feed(chunk);
        else if (this.stream.readEnded) this.takeEnd();
        else return;
      }
    }
  }

  private takeFields(fields: readonly Field[] | null): void {
    if (this.phase === 'head') {
      this.phase = 'body';
      this.host.onHead(this, fields);
      return;
    }
    this.phase = 'trailers';
    if (fields === null) throw streamFault('EXCESSIVE_LOAD', 'trailers are too large');
    this.trailers = trailersOf(fields);
  }

  private countBody(bytes: number): void {
    this.bodyLeft -= bytes;
    if (this.bodyLeft < 0) throw streamFault('MESSAGE_ERROR', 'a body above its content-length');
  }

  private takeEnd(): void {
    if (this.reader.midFrame) throw connectionFault('FRAME_ERROR', 'a stream ends within a frame');
    if (this.phase === 'head') throw streamFault('REQUEST_INCOMPLETE', 'a stream without HEADERS');
    if (this.bodyExact && this.bodyLeft > 0) {
      throw streamFault('MESSAGE_ERROR', 'a body below its content-length');
    }
    this.readEnded = this.readDone = true;
    this.settle();
  }

  private discard(): void {
    for (this.advance(); this.pending !== null; this.advance()) {
      this.unwanted += this.pending.length;
      this.pending = null;
      if (this.unwanted > UNWANTED_BODY_BYTES) this.stopReading(Http3Code.NO_ERROR);
    }
  }

  /** What is left belongs to a buffer that others read into next. */
  private keepRest(): void {
    if (this.readDone) return;
    if (this.pending !== null) this.pending = Buffer.from(this.pending);
    this.reader.detach();
    if (this.paused && this.pending !== null) this.stream.pause();
  }

  private failBy(error: unknown): void {
    if (!(error instanceof Http3Fault)) throw error;
    this.fail(error);
  }

  private settle(): void {
    if (this.over || !this.readDone || !this.writeDone) return;
    if (this.stream.bufferedBytes > 0) {
      this.stream.wakeBelow(0);
      return;
    }
    this.over = true;
    this.host.onOver(this);
  }
}
