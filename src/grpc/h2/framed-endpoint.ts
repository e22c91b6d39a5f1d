import type { Socket } from 'node:net';
import type { Clock } from '../../base/clock.js';
import { messageOf } from '../../base/errors.js';
import { NumberMap } from '../../base/number-map.js';
import { TokenBucket } from '../../base/token-bucket.js';
import { CONNECTION_WINDOW, STREAM_WINDOW } from '../flow-windows.js';
import { KeepAlive } from '../keepalive.js';
import type { Pinged } from '../keepalive.js';
import { Http2Code } from '../status-mapping.js';
import { socketFault } from '../caller-tls.js';
import { ConnectionError } from './connection-error.js';
import { ControlFrames, SETTING_BYTES } from './control-frames.js';
import { FrameReader } from './frame-reader.js';
import type { FrameSink } from './frame-reader.js';
import { FrameWriter } from './frame-writer.js';
import type { FramedStream, StreamOwner, StreamUser } from './framed-stream.js';
import { MAX_WINDOW, Setting } from './frames.js';
import { HpackDecoder } from './hpack-decoder.js';
import { PeerSettings, SETTINGS_RATE } from './peer-settings.js';
import { ReceiveWindow } from './receive-window.js';
import { SendQueue } from './send-queue.js';

/** Credit is returned in portions, as by ReceiveWindow. */
const STREAM_CREDIT = STREAM_WINDOW / 4;
/** What the last frames get to leave, ms. */
const LINGER_MS = 1_000;

/** The call on a stream, as far as the connection itself has to do with it. */
export interface EndpointCall extends StreamUser {
  /** A part of the peer's messages. The bytes are the call's to keep. */
  receiveData(chunk: Buffer): void;
}

/** How a connection of either side begins to speak. */
export interface EndpointTerms {
  readonly clock: Clock;
  /** Ping after so many ms of silence while calls are under way. */
  readonly keepaliveMs: number;
  /** How long the answer to a ping may take, ms; undefined: PING_TIMEOUT_MS. */
  readonly pingTimeoutMs?: number | undefined;
  /** Largest header block that is taken, bytes. */
  readonly maxHeaders: number;
}

/**
 * What both sides of an HTTP/2 connection do alike (RFC 9113): frames, settings, flow control both ways, pings, and
 * the end. Which calls travel on it is what a side adds.
 */
export abstract class FramedEndpoint<Call extends EndpointCall>
  implements FrameSink, StreamOwner<Call>, Pinged
{
  /** The peer's SETTINGS have come. */
  ready = false;
  protected readonly writer: FrameWriter;
  protected readonly control: ControlFrames;
  protected readonly reader: FrameReader;
  protected readonly decoder = new HpackDecoder();
  protected readonly keepalive: KeepAlive;
  protected readonly streams = new NumberMap<FramedStream<Call>>();
  protected readonly queue: SendQueue<Call>;
  protected readonly peer = new PeerSettings();
  protected gone = false;
  protected fault = 'the peer closed the connection';
  protected readonly clock: Clock;
  private readonly received = new ReceiveWindow(CONNECTION_WINDOW);
  private readonly settingsRate = new TokenBucket(SETTINGS_RATE);

  constructor(
    protected readonly socket: Socket,
    { clock, keepaliveMs, pingTimeoutMs, maxHeaders }: EndpointTerms,
  ) {
    this.clock = clock;
    this.keepalive = new KeepAlive(this, clock, keepaliveMs, pingTimeoutMs);
    this.reader = new FrameReader(this, maxHeaders);
    this.writer = new FrameWriter(socket, () => this.onFlush());
    this.control = new ControlFrames(this.writer);
    this.queue = new SendQueue(this.writer, this.peer, this.endAnswer?.bind(this) ?? null);
    socket.on('data', (chunk) => this.onBytes(chunk));
    socket.on('drain', () => this.onDrain());
    socket.on('error', (error) => (this.fault = socketFault(error)));
    socket.on('end', () => socket.destroy());
    socket.on('close', () => this.onClose());
  }

  /** Whether calls are under way. */
  get busy(): boolean {
    return this.streams.size > 0;
  }

  /** Ends it now, for a reason of ours. Idempotent. */
  destroy(reason: string): void {
    this.end(Http2Code.NO_ERROR, reason);
  }

  ping(): boolean {
    if (this.gone || !this.ready) return false;
    this.control.ping();
    return true;
  }

  onSilent(): void {
    this.destroy('the peer does not answer');
  }

  sendOn(stream: FramedStream<Call>, message: Uint8Array): boolean {
    if (!this.streams.has(stream.id)) return false;
    this.keepalive.sent();
    return this.queue.write(stream, message);
  }

  endStream(stream: FramedStream<Call>): void {
    if (this.streams.has(stream.id)) this.queue.end(stream);
  }

  flushNow(): void {
    this.writer.flush();
  }

  creditStream(stream: FramedStream<Call>): void {
    if (stream.owed === 0 || !this.streams.has(stream.id)) return;
    this.control.credit(stream.id, stream.owed);
    stream.owed = 0;
  }

  /** A call that ended by itself. */
  resetStream(stream: FramedStream<Call>, code: number): void {
    if (!this.streams.has(stream.id)) return;
    this.remove(stream);
    if (!this.gone) this.control.reset(stream.id, code);
  }

  onData(streamId: number, payload: Buffer, counted: number, end: boolean): void {
    this.keepalive.answered();
    const credit = this.received.take(counted);
    if (credit > 0) this.control.credit(0, credit);
    const stream = this.streamOf(streamId);
    if (stream === undefined) return;
    stream.owed += counted;
    if (stream.owed > STREAM_WINDOW) {
      throw new ConnectionError(Http2Code.FLOW_CONTROL_ERROR, 'more than the stream window');
    }
    stream.call.receiveData(payload);
    if (end) this.onStreamEnd(stream);
    else if (stream.owed >= STREAM_CREDIT && !stream.paused) this.creditStream(stream);
  }

  onSettings(payload: Buffer, ack: boolean): void {
    if (ack) return;
    if (this.settingsRate.take(this.clock.now()) > 0) {
      throw new ConnectionError(Http2Code.ENHANCE_YOUR_CALM, 'SETTINGS again and again');
    }
    const windowBefore = this.peer.initialWindow;
    for (let at = 0; at < payload.length; at += SETTING_BYTES) {
      this.apply(payload.readUInt16BE(at), payload.readUInt32BE(at + 2));
    }
    this.widenAll(this.peer.initialWindow - windowBefore);
    this.control.settingsAck();
    const first = !this.ready;
    this.ready = true;
    this.onPeerSettings(first);
  }

  onPing(payload: Buffer, ack: boolean): void {
    if (!ack) this.control.pong(payload);
  }

  onWindowUpdate(streamId: number, increment: number): void {
    if (streamId === 0) {
      if (increment === 0) throw new ConnectionError(Http2Code.PROTOCOL_ERROR, 'a credit of 0');
      this.queue.window += increment;
      if (this.queue.window > MAX_WINDOW) {
        throw new ConnectionError(Http2Code.FLOW_CONTROL_ERROR, 'a window above 2^31 - 1');
      }
      this.queue.pump();
    } else {
      const stream = this.streamOf(streamId);
      if (stream === undefined) return;
      stream.widen(increment);
      this.queue.goOn(stream);
    }
  }

  abstract onHeaders(streamId: number, block: Buffer, end: boolean): void;
  abstract onReset(streamId: number, code: number): void;
  abstract onGoaway(lastStreamId: number, code: number): void;

  /** Whether a stream of this id has begun, whatever became of it. */
  protected abstract hasBegun(streamId: number): boolean;
  /** The peer has ended its side of a stream. */
  protected abstract onStreamEnd(stream: FramedStream<Call>): void;
  /** @param first whether these are the peer's first SETTINGS. */
  protected abstract onPeerSettings(first: boolean): void;
  /** What encodes headers for the peer may keep so much in the peer's table. */
  protected abstract limitTable(bytes: number): void;
  /** The peer's bytes, in order, as they come. @throws {ConnectionError} */
  protected abstract onChunk(chunk: Buffer): void;
  /** All of a turn was given to the socket. */
  protected abstract onFlush(): void;
  /** The socket takes bytes again. */
  protected abstract onDrain(): void;
  /** The connection is over, once; nothing is heard or sent any more. */
  protected abstract onGone(): void;
  /** The last stream that was taken from the peer, for GOAWAY. */
  protected abstract readonly lastTaken: number;

  /** All messages of a stream were sent: ends our side of it. Without this method the last message does. */
  protected endAnswer?(stream: FramedStream<Call>): void;

  /** Everything was written: lets it leave, and the socket go. */
  protected closeSocket(): void {
    this.socket.destroySoon();
  }

  /** The stream, or undefined where it has ended already. @throws for one that never began. */
  protected streamOf(streamId: number): FramedStream<Call> | undefined {
    const stream = this.streams.get(streamId);
    if (stream === undefined && !this.hasBegun(streamId)) {
      throw new ConnectionError(Http2Code.PROTOCOL_ERROR, `a frame on idle stream ${streamId}`);
    }
    return stream;
  }

  protected remove(stream: FramedStream<Call>): void {
    this.streams.delete(stream.id);
    if (stream.unsent !== null) this.queue.drop(stream);
  }

  /** Says GOAWAY where the peer speaks HTTP/2, and ends the connection. */
  protected end(code: number, reason: string): void {
    if (this.gone) return;
    this.fault = reason;
    if (this.ready && this.socket.writable) {
      this.control.goaway(this.lastTaken, code);
      this.writer.flush();
      this.closeSocket();
      // A peer that does not read would keep the socket for ever.
      this.clock.after(LINGER_MS, () => this.socket.destroy());
    } else this.socket.destroy();
    this.onClose();
  }

  private apply(setting: number, value: number): void {
    if (setting === Setting.HEADER_TABLE_SIZE) this.limitTable(value);
    this.peer.apply(setting, value);
  }

  /** The peer's INITIAL_WINDOW_SIZE counts for the streams that are there too (RFC 9113 section 6.9.2). */
  private widenAll(change: number): void {
    if (change === 0) return;
    for (const stream of this.streams.values()) {
      stream.widen(change);
      this.queue.goOn(stream);
    }
  }

  private onBytes(chunk: Buffer): void {
    if (this.gone) return;
    this.keepalive.received();
    try {
      this.onChunk(chunk);
    } catch (error) {
      if (!(error instanceof ConnectionError)) throw error;
      this.end(error.code, messageOf(error));
    }
  }

  private onClose(): void {
    if (this.gone) return;
    this.gone = true;
    this.writer.close();
    this.keepalive.stop();
    this.onGone();
  }
}
