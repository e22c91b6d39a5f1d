import type { Socket } from 'node:net';
import { messageOf } from '../../base/errors.js';
import { NumberMap } from '../../base/number-map.js';
import type { CallConnection, ConnectionOwner, ConnectionTarget } from '../call-connection.js';
import { openSocket, socketFault, speaksHttp2 } from '../caller-tls.js';
import { KeepAlive } from '../keepalive.js';
import type { Pinged } from '../keepalive.js';
import { Http2Code } from '../status-mapping.js';
import { unseen } from '../carried-call.js';
import type { CarriedCall } from '../carried-call.js';
import { grpcTimeout } from '../unary-call.js';
import { FramedStream, inOrder } from './call-stream.js';
import type { StreamOwner } from './call-stream.js';
import { ConnectionError } from './connection-error.js';
import { ControlFrames, MAX_BACKLOG, SETTING_BYTES } from './control-frames.js';
import { FrameReader } from './frame-reader.js';
import type { FrameSink } from './frame-reader.js';
import { FrameWriter } from './frame-writer.js';
import { MAX_WINDOW, Setting } from './frames.js';
import { HeaderFields } from './header-fields.js';
import { HpackDecoder } from './hpack-decoder.js';
import { PeerSettings } from './peer-settings.js';
import { ReceiveWindow } from './receive-window.js';
import { RequestHeaders } from './request-headers.js';
import { SendQueue } from './send-queue.js';

/** What the peer may send us without a word from us, on all streams and on one, bytes. */
const CONNECTION_WINDOW = 8 * 1_048_576;
const STREAM_WINDOW = 1_048_576;
/** Credit is returned in portions, as by ReceiveWindow. */
const STREAM_CREDIT = STREAM_WINDOW / 4;
/** What the last frames get to leave, ms. */
const LINGER_MS = 1_000;
/** Stream ids end here (RFC 9113 section 5.1.1). */
const LAST_STREAM_ID = 2 ** 31 - 1;

/** What the parts of a connection call it for. */
interface ConnectionPart extends FrameSink, StreamOwner, Pinged {}

/** A connection that frames HTTP/2 itself, as far as gRPC calls need it (RFC 9113, RFC 7541). */
export class FramedConnection implements CallConnection, ConnectionPart {
  private readonly socket: Socket;
  private readonly writer: FrameWriter;
  private readonly control: ControlFrames;
  private readonly reader = new FrameReader(this);
  private readonly decoder = new HpackDecoder();
  private readonly fields = new HeaderFields();
  private readonly headers: RequestHeaders;
  private readonly keepalive: KeepAlive;
  private readonly streams = new NumberMap<FramedStream>();
  private readonly queue: SendQueue;
  private readonly peer = new PeerSettings();
  private nextId = 1;
  /** Streams up to this one were given to the socket. */
  private flushedId = 0;
  private readonly received = new ReceiveWindow(CONNECTION_WINDOW);
  ready = false;
  leaving = false;
  private gone = false;
  private madeRoom = false;
  private fault = 'the peer closed the connection';

  constructor(
    private readonly target: ConnectionTarget,
    private readonly owner: ConnectionOwner,
  ) {
    const { host, port, tls, clock, keepaliveMs } = target;
    this.keepalive = new KeepAlive(this, clock, keepaliveMs);
    this.headers = RequestHeaders.of(target);
    this.socket = openSocket(host, port, tls);
    this.writer = new FrameWriter(this.socket, () => this.onFlush());
    this.control = new ControlFrames(this.writer);
    this.queue = new SendQueue(this.writer, this.peer);
    this.socket.on(tls === null ? 'connect' : 'secureConnect', () => this.onConnect());
    this.socket.on('data', (chunk) => this.onBytes(chunk));
    this.socket.on('drain', () => this.onDrain());
    this.socket.on('error', (error) => (this.fault = socketFault(error)));
    this.socket.on('end', () => this.socket.destroy());
    this.socket.on('close', () => this.onClose());
  }

  get open(): boolean {
    return (
      this.ready &&
      !this.leaving &&
      this.streams.size < this.peer.maxStreams &&
      this.queue.bytes + this.writer.backlog < MAX_BACKLOG
    );
  }

  get busy(): boolean {
    return this.streams.size > 0;
  }

  send(call: CarriedCall): boolean {
    if (this.gone || this.leaving) return false;
    const id = this.nextId;
    if (id > LAST_STREAM_ID) {
      this.leave();
      queueMicrotask(() => this.closeWhenIdle());
      return false;
    }
    this.nextId += 2;
    const stream = new FramedStream(this, id, call, this.peer.initialWindow);
    this.streams.set(id, stream);
    const timeout = call.deadline === Infinity ? null : grpcTimeout(call.deadline - call.sentAt);
    this.headers.write(this.writer, id, call.method, timeout);
    if (call.request !== null) this.queue.send(stream, call.request);
    call.attach(stream);
    this.keepalive.sent();
    return true;
  }

  destroy(reason: string): void {
    if (this.gone) return;
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

  sendOn(stream: FramedStream, message: Uint8Array): boolean {
    if (!this.streams.has(stream.id)) return false;
    this.keepalive.sent();
    return this.queue.write(stream, message);
  }

  endStream(stream: FramedStream): void {
    if (this.streams.has(stream.id)) this.queue.end(stream);
  }

  flushNow(): void {
    this.writer.flush();
  }

  creditStream(stream: FramedStream): void {
    if (stream.owed === 0 || !this.streams.has(stream.id)) return;
    this.control.credit(stream.id, stream.owed);
    stream.owed = 0;
  }

  /** A call that ended by itself: its deadline, a cancel, an answer that it cannot use. */
  resetStream(stream: FramedStream, code: number): void {
    if (!this.streams.has(stream.id)) return;
    this.remove(stream);
    if (!this.gone) this.control.reset(stream.id, code);
    const { call } = stream;
    if (this.target.clock.now() >= call.deadline) this.keepalive.expired(call.sentAt);
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
    if (end) this.finish(stream);
    else if (stream.owed >= STREAM_CREDIT && !stream.paused) this.creditStream(stream);
  }

  onHeaders(streamId: number, block: Buffer, end: boolean): void {
    const { fields } = this;
    this.keepalive.answered();
    fields.clear();
    // Decoded even where nobody wants it, for it changes the table of all that follow.
    this.decoder.decode(block, fields.add);
    const stream = this.streamOf(streamId);
    if (stream === undefined) return;
    const { httpStatus, contentType, grpcStatus, grpcMessage } = fields;
    stream.call.receiveHeaders(httpStatus, contentType, grpcStatus, grpcMessage);
    if (end) this.finish(stream);
  }

  onReset(streamId: number, code: number): void {
    const stream = this.streamOf(streamId);
    if (stream === undefined) return;
    this.remove(stream);
    if (unseen(stream.call, code)) this.owner.onReturned(stream.call);
    else stream.call.receiveReset(code);
  }

  onSettings(payload: Buffer, ack: boolean): void {
    if (ack) return;
    for (let at = 0; at < payload.length; at += SETTING_BYTES) {
      this.apply(payload.readUInt16BE(at), payload.readUInt32BE(at + 2));
    }
    this.control.settingsAck();
    this.madeRoom = true;
    if (this.ready) this.queue.pump();
    else {
      this.ready = true;
      this.owner.onReady(this);
    }
  }

  onPing(payload: Buffer, ack: boolean): void {
    if (!ack) this.control.pong(payload);
  }

  onGoaway(lastStreamId: number, code: number): void {
    if (code !== Http2Code.NO_ERROR) this.fault = `the peer said GOAWAY with code ${code}`;
    this.leave();
    for (const stream of inOrder(this.streams)) {
      if (stream.id <= lastStreamId) continue;
      this.remove(stream);
      this.owner.onReturned(stream.call);
    }
    for (const stream of inOrder(this.streams)) stream.call.onLeaving();
    this.closeWhenIdle();
  }

  onWindowUpdate(streamId: number, increment: number): void {
    if (streamId === 0) {
      if (increment === 0) throw new ConnectionError(Http2Code.PROTOCOL_ERROR, 'a credit of 0');
      this.queue.window += increment;
      if (this.queue.window > MAX_WINDOW) {
        throw new ConnectionError(Http2Code.FLOW_CONTROL_ERROR, 'a window above 2^31 - 1');
      }
    } else {
      const stream = this.streamOf(streamId);
      if (stream === undefined) return;
      stream.widen(increment);
    }
    this.queue.pump();
    this.madeRoom = true;
  }

  private apply(setting: number, value: number): void {
    if (setting === Setting.HEADER_TABLE_SIZE) this.headers.limitTable(value);
    const change = this.peer.apply(setting, value);
    if (change === 0) return;
    for (const stream of this.streams.values()) stream.widen(change);
  }

  /** The stream, or undefined where it has ended already. @throws for one that never began. */
  private streamOf(streamId: number): FramedStream | undefined {
    const stream = this.streams.get(streamId);
    if (stream === undefined && (streamId >= this.nextId || streamId % 2 === 0)) {
      throw new ConnectionError(Http2Code.PROTOCOL_ERROR, `a frame on idle stream ${streamId}`);
    }
    return stream;
  }

  private finish(stream: FramedStream): void {
    if (!this.streams.has(stream.id)) return;
    const { sentAll } = stream;
    this.remove(stream);
    // The peer has answered without reading the whole request (RFC 9113 section 8.1).
    if (!sentAll && !this.gone) this.control.reset(stream.id, Http2Code.NO_ERROR);
    stream.call.receiveEnd();
  }

  private remove(stream: FramedStream): void {
    this.streams.delete(stream.id);
    if (stream.unsent !== null) this.queue.drop(stream);
    this.madeRoom = true;
    this.closeWhenIdle();
  }

  private onConnect(): void {
    if (!speaksHttp2(this.socket)) {
      this.end(Http2Code.NO_ERROR, 'the peer does not offer HTTP/2 (ALPN h2)');
      return;
    }
    this.control.opening(STREAM_WINDOW, CONNECTION_WINDOW);
  }

  private onBytes(chunk: Buffer): void {
    if (this.gone) return;
    this.keepalive.received();
    try {
      this.reader.read(chunk);
    } catch (error) {
      if (!(error instanceof ConnectionError)) throw error;
      this.end(error.code, messageOf(error));
      return;
    }
    this.tellRoom();
  }

  private onFlush(): void {
    this.flushedId = this.nextId - 2;
    this.tellRoom();
  }

  private onDrain(): void {
    this.madeRoom = true;
    this.tellRoom();
  }

  private tellRoom(): void {
    if (!this.madeRoom || this.leaving || !this.ready) return;
    this.madeRoom = false;
    this.owner.onRoom(this);
  }

  private leave(): void {
    if (this.leaving) return;
    this.leaving = true;
    this.owner.onLeaving(this);
  }

  private closeWhenIdle(): void {
    if (this.leaving && this.streams.size === 0) this.end(Http2Code.NO_ERROR, this.fault);
  }

  /** Says GOAWAY where the peer speaks HTTP/2, and ends the connection. */
  private end(code: number, reason: string): void {
    if (this.gone) return;
    this.fault = reason;
    if (this.ready && this.socket.writable) {
      this.control.goaway(code);
      this.writer.flush();
      this.socket.destroySoon();
      // A peer that does not read would keep the socket for ever.
      this.target.clock.after(LINGER_MS, () => this.socket.destroy());
    } else this.socket.destroy();
    this.onClose();
  }

  private onClose(): void {
    if (this.gone) return;
    this.gone = this.leaving = true;
    this.writer.close();
    this.keepalive.stop();
    const reason = this.ready ? `the connection was lost: ${this.fault}` : this.fault;
    for (const stream of inOrder(this.streams)) {
      this.streams.delete(stream.id);
      stream.call.lose(reason, stream.id > this.flushedId);
    }
    this.owner.onClosed(this, this.fault);
  }
}
