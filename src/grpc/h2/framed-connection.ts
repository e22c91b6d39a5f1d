import type { CallConnection, ConnectionOwner, ConnectionTarget } from '../call-connection.js';
import { openSocket, speaksHttp2 } from '../caller-tls.js';
import { unseen } from '../carried-call.js';
import type { CarriedCall } from '../carried-call.js';
import { CONNECTION_WINDOW, STREAM_WINDOW } from '../flow-windows.js';
import { Http2Code } from '../status-mapping.js';
import { grpcTimeout } from '../unary-call.js';
import { MAX_BACKLOG } from './control-frames.js';
import { FramedEndpoint } from './framed-endpoint.js';
import { FramedStream, inOrder } from './framed-stream.js';
import { MAX_HEADERS } from './frames.js';
import { HeaderFields } from './header-fields.js';
import { RequestHeaders } from './request-headers.js';

/** Stream ids end here (RFC 9113 section 5.1.1). */
const LAST_STREAM_ID = 2 ** 31 - 1;

/** A connection that frames HTTP/2 itself, as far as gRPC calls need it (RFC 9113, RFC 7541). */
export class FramedConnection extends FramedEndpoint<CarriedCall> implements CallConnection {
  leaving = false;
  /** The peer opens no streams, so that none was looked at. */
  protected readonly lastTaken = 0;
  private readonly fields = new HeaderFields();
  private readonly headers: RequestHeaders;
  private nextId = 1;
  /** Streams up to this one were given to the socket. */
  private flushedId = 0;
  private madeRoom = false;

  constructor(
    target: ConnectionTarget,
    private readonly owner: ConnectionOwner,
  ) {
    const { host, port, tls, clock, keepaliveMs, pingTimeoutMs } = target;
    super(openSocket(host, port, tls), {
      clock,
      keepaliveMs,
      pingTimeoutMs,
      maxHeaders: MAX_HEADERS,
    });
    this.headers = RequestHeaders.of(target);
    this.socket.on(tls === null ? 'connect' : 'secureConnect', () => this.onConnect());
  }

  get open(): boolean {
    return (
      this.ready &&
      !this.leaving &&
      this.streams.size < this.peer.maxStreams &&
      this.queue.bytes + this.writer.backlog < MAX_BACKLOG
    );
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
    const { request } = call;
    const stream = new FramedStream(this, id, call, this.peer.initialWindow, request !== null);
    this.streams.set(id, stream);
    const timeout = call.deadline === Infinity ? null : grpcTimeout(call.deadline - call.sentAt);
    this.headers.write(this.writer, id, call.method, timeout);
    if (request !== null) this.queue.write(stream, request);
    call.attach(stream);
    this.keepalive.sent();
    return true;
  }

  /** A call that ended by itself: its deadline, a cancel, an answer that it cannot use. */
  override resetStream(stream: FramedStream<CarriedCall>, code: number): void {
    const { call } = stream;
    if (!this.streams.has(stream.id)) return;
    super.resetStream(stream, code);
    if (this.clock.now() >= call.deadline) this.keepalive.expired(call.sentAt);
  }

  onHeaders(streamId: number, block: Buffer, end: boolean): void {
    const { fields } = this;
    this.keepalive.answered();
    fields.clear();
    // Decoded even where nobody wants it, for it changes the table of all that follow.
    this.decoder.decode(block, fields.add);
    const stream = this.streamOf(streamId);
    if (stream === undefined) return;
    const { httpStatus, contentType, grpcStatus, grpcMessage, encoding } = fields;
    stream.call.receiveHeaders(httpStatus, contentType, grpcStatus, grpcMessage, encoding);
    if (end) this.onStreamEnd(stream);
  }

  onReset(streamId: number, code: number): void {
    const stream = this.streamOf(streamId);
    if (stream === undefined) return;
    this.remove(stream);
    if (unseen(stream.call, code)) this.owner.onReturned(stream.call);
    else stream.call.receiveReset(code);
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

  override onWindowUpdate(streamId: number, increment: number): void {
    super.onWindowUpdate(streamId, increment);
    this.madeRoom = true;
  }

  protected hasBegun(streamId: number): boolean {
    return streamId < this.nextId && streamId % 2 === 1;
  }

  protected onPeerSettings(first: boolean): void {
    this.madeRoom = true;
    if (first) this.owner.onReady(this);
  }

  protected limitTable(bytes: number): void {
    this.headers.limitTable(bytes);
  }

  protected onStreamEnd(stream: FramedStream<CarriedCall>): void {
    if (!this.streams.has(stream.id)) return;
    const { sentAll } = stream;
    this.remove(stream);
    // The peer has answered without reading the whole request (RFC 9113 section 8.1).
    if (!sentAll && !this.gone) this.control.reset(stream.id, Http2Code.NO_ERROR);
    stream.call.receiveEnd();
  }

  protected override remove(stream: FramedStream<CarriedCall>): void {
    super.remove(stream);
    this.madeRoom = true;
    this.closeWhenIdle();
  }

  protected onChunk(chunk: Buffer): void {
    this.reader.read(chunk);
    this.tellRoom();
  }

  protected onFlush(): void {
    this.flushedId = this.nextId - 2;
    this.tellRoom();
  }

  protected onDrain(): void {
    this.madeRoom = true;
    this.tellRoom();
  }

  protected onGone(): void {
    this.leaving = true;
    const reason = this.ready ? `the connection was lost: ${this.fault}` : this.fault;
    for (const stream of inOrder(this.streams)) {
      this.streams.delete(stream.id);
      stream.call.lose(reason, stream.id > this.flushedId);
    }
    this.owner.onClosed(this, this.fault);
  }

  private onConnect(): void {
    if (!speaksHttp2(this.socket)) {
      this.destroy('the peer does not offer HTTP/2 (ALPN h2)');
      return;
    }
    this.control.openingOfClient(STREAM_WINDOW, CONNECTION_WINDOW);
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
}
