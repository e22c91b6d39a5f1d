import { connect, constants } from 'node:http2';
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';
import type { Socket } from 'node:net';
import type { CallConnection, ConnectionOwner, ConnectionTarget } from './call-connection.js';
import { openSocket, socketFault, speaksHttp2 } from './caller-tls.js';
import { CONNECTION_WINDOW, STREAM_WINDOW } from './flow-windows.js';
import { KeepAlive } from './keepalive.js';
import type { Pinged } from './keepalive.js';
import { Http2Code } from './status-mapping.js';
import { unseen } from './carried-call.js';
import type { BidiStream, CarriedCall } from './carried-call.js';
import { grpcTimeout, prefixed } from './unary-call.js';

/** Answers have a handful of headers; more is an attack (SETTINGS_MAX_HEADER_LIST_SIZE). */
const MAX_HEADER_LIST = 16 * 1024;
/** Where a peer names no limit of streams. */
const UNLIMITED = 2 ** 31;

/** A stream that knows its call, so that all streams share their listeners. */
type Carrier = ClientHttp2Stream & { call: CarriedCall; connection: Http2Connection };

/** A connection made of node:http2. */
export class Http2Connection implements CallConnection, Pinged {
  private readonly session: ClientHttp2Session;
  private readonly keepalive: KeepAlive;
  /** Header objects are copied by node:http2, so that one per method serves all calls. */
  private readonly headers = new Map<string, Record<string, string>>();
  private readonly carriers = new Set<Carrier>();
  private maxStreams = 0;
  leaving = false;
  private gone = false;
  /** Streams above it were not looked at (GOAWAY). */
  private lastStreamId = Infinity;
  private fault = 'the peer closed the connection';

  constructor(
    private readonly target: ConnectionTarget,
    private readonly owner: ConnectionOwner,
  ) {
    const { host, port, tls, authority, clock, keepaliveMs, pingTimeoutMs } = target;
    this.keepalive = new KeepAlive(this, clock, keepaliveMs, pingTimeoutMs);
    this.session = connect(`${tls === null ? 'http' : 'https'}://${authority}`, {
      createConnection: () => this.watched(openSocket(host, port, tls)),
      settings: {
        enablePush: false,
        initialWindowSize: STREAM_WINDOW,
        maxHeaderListSize: MAX_HEADER_LIST,
      },
      // Counted in MB by default 10, which a few large answers exceed: calls are bounded elsewhere.
      maxSessionMemory: Number.MAX_SAFE_INTEGER,
    });
    this.session.on('connect', (_, socket) => this.onConnect(socket));
    this.session.on('remoteSettings', ({ maxConcurrentStreams }) =>
      this.onSettings(maxConcurrentStreams ?? UNLIMITED),
    );
    this.session.on('goaway', (code, lastStreamId) => this.onGoaway(code, lastStreamId));
    this.session.on('error', (error) => (this.fault = socketFault(error)));
    this.session.on('close', () => this.onClose());
  }

  get open(): boolean {
    return this.carriers.size < this.maxStreams && !this.leaving;
  }

  get ready(): boolean {
    return this.maxStreams > 0 && !this.session.destroyed;
  }

  get busy(): boolean {
    return this.carriers.size > 0;
  }

  send(call: CarriedCall): boolean {
    const carrier = this.request(call);
    if (carrier === null) return false;
    carrier.call = call;
    carrier.connection = this;
    carrier.on('response', onHeaders);
    carrier.on('trailers', onTrailers);
    carrier.on('data', onData);
    carrier.on('error', ignore);
    carrier.on('close', onStreamClose);
    this.carriers.add(carrier);
    if (call.request === null) {
      // The peer has ended its side; ours ends with it.
      carrier.on('end', () => carrier.end());
    } else carrier.end(prefixed(call.request));
    call.attach(new Http2Stream(carrier));
    this.keepalive.sent();
    return true;
  }

  destroy(reason: string): void {
    if (this.gone || this.session.destroyed) return;
    this.fault = reason;
    this.session.destroy();
  }

  ping(): boolean {
    // The answer shows itself as bytes received.
    return !this.session.destroyed && this.session.ping(() => this.keepalive.received());
  }

  onSilent(): void {
    this.destroy('the peer does not answer');
  }

  /** Headers or data of a call came. */
  answered(): void {
    this.keepalive.received();
    this.keepalive.answered();
  }

  /**
   * A call ended by itself, maybe by its deadline. Its stream may never close: nghttp2 reads and
   * writes nothing any more after headers that it cannot take, and tells nobody but the peer.
   */
  gaveUp(call: CarriedCall): void {
    if (this.target.clock.now() >= call.deadline) this.keepalive.expired(call.sentAt);
  }

  streamClosed(carrier: Carrier): void {
    this.carriers.delete(carrier);
    const { call } = carrier;
    if (!call.settled) this.decide(call, carrier);
    if (!this.leaving) this.owner.onRoom(this);
  }

  /** The stream closed before its call had an outcome. */
  private decide(call: CarriedCall, carrier: Carrier): void {
    if (call.complete) call.receiveEnd();
    else if ((carrier.id ?? Infinity) > this.lastStreamId) this.owner.onReturned(call);
    else if (this.session.destroyed) call.lose(`the connection was lost: ${this.fault}`, false);
    else if (unseen(call, carrier.rstCode)) this.owner.onReturned(call);
    else if (carrier.rstCode === Http2Code.NO_ERROR) call.receiveEnd();
    else call.receiveReset(carrier.rstCode);
  }

  private request(call: CarriedCall): Carrier | null {
    // From Node 24 on a destroyed session takes the request and fails it later.
    if (this.session.destroyed) {
      this.leave();
      return null;
    }
    const headers = this.headersOf(call.method);
    if (call.deadline !== Infinity) {
      headers['grpc-timeout'] = grpcTimeout(call.deadline - this.target.clock.now());
    }
    try {
      return this.session.request(headers) as Carrier;
    } catch {
      // It is closing, or out of stream ids: another connection has to carry the call.
      this.leave();
      this.session.close();
      return null;
    }
  }

  private headersOf(method: string): Record<string, string> {
    const { authorization } = this.target;
    let headers = this.headers.get(method);
    if (headers === undefined) {
      headers = {
        [constants.HTTP2_HEADER_METHOD]: 'POST',
        [constants.HTTP2_HEADER_SCHEME]: this.target.tls === null ? 'http' : 'https',
        [constants.HTTP2_HEADER_PATH]: method,
        [constants.HTTP2_HEADER_AUTHORITY]: this.target.authority,
        te: 'trailers',
        'content-type': 'application/grpc',
        'user-agent': 'gatesvr',
        ...(authorization === null ? {} : { authorization }),
      };
      this.headers.set(method, headers);
    }
    return headers;
  }

  /** A session whose TLS is refused late (TLS 1.3) never tells that it closed; its socket does. */
  private watched(socket: Socket): Socket {
    const end = () => setImmediate(() => this.onClose());
    socket.on('error', (error) => {
      this.fault = socketFault(error);
      end();
    });
    socket.on('close', end);
    return socket;
  }

  private onConnect(socket: Socket): void {
    this.session.setLocalWindowSize(CONNECTION_WINDOW);
    if (!speaksHttp2(socket)) {
      this.destroy('the peer does not offer HTTP/2 (ALPN h2)');
    }
  }

  private onSettings(maxStreams: number): void {
    const first = this.maxStreams === 0;
    this.keepalive.received();
    this.maxStreams = maxStreams;
    if (first) this.owner.onReady(this);
    else if (!this.leaving) this.owner.onRoom(this);
  }

  private onGoaway(code: number, lastStreamId: number): void {
    this.lastStreamId = Math.min(this.lastStreamId, lastStreamId);
    if (code !== Http2Code.NO_ERROR) this.fault = `the peer said GOAWAY with code ${code}`;
    this.leave();
  }

  private leave(): void {
    if (this.leaving) return;
    this.leaving = true;
    this.owner.onLeaving(this);
    for (const { call } of [...this.carriers]) call.onLeaving();
  }

  private onClose(): void {
    if (this.gone) return;
    this.gone = true;
    this.session.destroy();
    this.keepalive.stop();
    // Every stream has told its own end by now; this only makes sure.
    for (const carrier of [...this.carriers]) this.streamClosed(carrier);
    this.owner.onClosed(this, this.fault);
  }
}

/** The stream of one call. */
class Http2Stream implements BidiStream {
  constructor(private readonly carrier: Carrier) {}

  write(message: Uint8Array): boolean {
    this.carrier.write(prefixed(message), () => this.carrier.call.onSent(1));
    return false;
  }

  end(): void {
    this.carrier.end();
  }

  pause(): void {
    this.carrier.pause();
  }

  resume(): void {
    this.carrier.resume();
  }

  close(code: number): void {
    this.carrier.close(code);
    this.carrier.connection.gaveUp(this.carrier.call);
  }
}

function onHeaders(this: Carrier, headers: IncomingHttpHeaders & { ':status'?: number }): void {
  this.connection.answered();
  this.call.receiveHeaders(
    Number(headers[':status'] ?? 0),
    headers['content-type'],
    first(headers['grpc-status']),
    first(headers['grpc-message']),
    first(headers['grpc-encoding']),
  );
}

function onTrailers(this: Carrier, headers: IncomingHttpHeaders): void {
  this.connection.answered();
  const { call } = this;
  call.receiveHeaders(0, undefined, first(headers['grpc-status']), first(headers['grpc-message']));
  // What is still on its way through the stream's buffer is waited for until the stream closes.
  if (call.complete) call.receiveEnd();
}

function onData(this: Carrier, chunk: Buffer): void {
  this.connection.answered();
  this.call.receiveData(chunk);
}

function onStreamClose(this: Carrier): void {
  this.connection.streamClosed(this);
}

function ignore(): void {
  // The close event decides.
}

function first(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
