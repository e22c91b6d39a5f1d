import type { Clock } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import type { TimerWheel } from '../base/timer-wheel.js';
import { Http3Connection } from '../http3/http3-connection.js';
import type { Http3Request } from '../http3/http3-connection.js';
import { Http3Code, streamFault } from '../http3/http3-fault.js';
import { DATAGRAM_QUEUE, MAX_REQUESTS, MAX_UNI_STREAMS } from '../http3/limits.js';
import type { Field } from '../http3/qpack-static-table.js';
import { WEBTRANSPORT_PROTOCOL } from '../http3/webtransport.js';
import type { WebTransportConnection } from '../http3/webtransport-connection.js';
import type { Link } from '../link/link.js';
import type { TransportLimits } from '../quic/limits.js';
import type { QuicConnection } from '../quic/quic-connection.js';
import type { ConnectionHandler } from '../quic/quic-server.js';
import type { Http3Metrics } from '../telemetry/http3-metrics.js';
import type { LabelledTally } from '../telemetry/tally.js';
import { WS_PATH } from '../websocket/ws-endpoint.js';
import { Http3LinkStream } from './h3-link-stream.js';
import { WebTransportCarrier } from './h3-webtransport.js';
import { DEFAULT_STREAM_TIMEOUT_MS } from './quic-edge.js';
import type { PlainPage, PlainPages } from './plain-pages.js';
import { RETRY_AFTER_S, originAllowed } from './ws-admission.js';

/** The protocol name of HTTP/3 (RFC 9114 section 3.1). */
export const HTTP3_ALPN = 'h3';

/** Where a client POSTs the frames of its session (docs/PROTOCOL.md, "HTTP/3"). */
export const STREAM_PATH = '/gatesvr/stream';
export const STREAM_CONTENT_TYPE = 'application/x-gatesvr';

/** Where a browser's WebTransport leads: the path of WebSocket clients (docs/PROTOCOL.md, "WebTransport"). */
export const WEBTRANSPORT_PATH = WS_PATH;

/** Streams that a port which speaks HTTP/3 must let its clients open. */
const HTTP3_LIMITS: Partial<TransportLimits> = Object.freeze({
  maxStreamsBidi: MAX_REQUESTS,
  maxStreamsUni: MAX_UNI_STREAMS,
});
const WEBTRANSPORT_LIMITS = Object.freeze({ ...HTTP3_LIMITS, datagramQueue: DATAGRAM_QUEUE });

/** Of answers that are true only now. */
const NOT_KEPT = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };

/** A page that is answered with JSON: what it says now. */
export type Http3Page = () => object;

/** What a connection takes of what its address may have. */
export interface Place {
  /** Whether it ends with its requests. */
  readonly brief: boolean;
  /** The connection has ended. */
  giveUp(): void;
}

/** Counts a connection with those of its address; null where that has as many as it may, the brief ones too. */
export type TakePlace = (remoteAddress: string) => Place | null;

const LASTING: Place = { brief: false, giveUp: () => undefined };

export interface Http3EdgeOptions {
  /** Takes a client's Link: bind an observer to it before returning. */
  readonly accept: (link: Link) => void;
  /** What GET answers, by path. */
  readonly pages: ReadonlyMap<string, Http3Page>;
  /** What GET answers beside those; default: nothing. */
  readonly plainPages?: PlainPages | null;
  /** Origins beside the own host whose pages may open a stream (`originAllowed`). */
  readonly origins: readonly string[];
  /** WebTransport sessions, and origins beside the own host whose pages may begin them; null: none. */
  readonly webTransport: { readonly origins: readonly string[] } | null;
  /** A connection without a place is closed at once; default: every one has a lasting place. */
  readonly takePlace?: TakePlace | null;
  /** Whether there is no room even for a connection that is only told so by its session. */
  readonly full: () => boolean;
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  readonly metrics: Http3Metrics;
  /** gatesvr_connections_rejected_total, which all transports share. */
  readonly rejected: LabelledTally;
}

/** The handler of ALPN `h3`: pages for machines, and streams that become Links. */
export class Http3Edge {
  private readonly connections = new Set<Http3Connection>();
  private draining = false;
  /** Why it stops; null before. */
  private farewell: string | null = null;
  private stopping: Promise<void> | null = null;
  /** The last connection ended: what `stop` waits for. */
  private allEnded: () => void = () => undefined;

  constructor(private readonly options: Http3EdgeOptions) {}

  /** What the QUIC port must grant to clients of this edge. */
  get limits(): Partial<TransportLimits> {
    return this.options.webTransport === null ? HTTP3_LIMITS : WEBTRANSPORT_LIMITS;
  }

  /** For QuicServer: takes a connection. */
  readonly accept: ConnectionHandler = (connection) => {
    const { takePlace = null } = this.options;
    const place = takePlace === null ? LASTING : takePlace(connection.remoteAddress);
    if (place !== null) return this.take(connection, place);
    this.options.rejected.add('address_connections');
    connection.close(Http3Code.EXCESSIVE_LOAD, 'too many connections of this address');
  };

  private take(connection: QuicConnection, place: Place): void {
    const { wheel, metrics, webTransport } = this.options;
    try {
      const http3 = new Http3Connection(connection, {
        onRequest: (request) => this.onRequest(request),
        onEnded: (ended) => {
          this.connections.delete(ended);
          place.giveUp();
          if (this.connections.size === 0) this.allEnded();
        },
        wheel,
        metrics,
        webTransport: webTransport !== null,
        brief: place.brief,
      });
      connection.bind(http3);
      this.connections.add(http3);
      if (this.farewell !== null) http3.leave(this.farewell);
      else if (this.draining) http3.drain();
    } catch (error) {
      // The client allows us no control stream.
      place.giveUp();
      connection.close(Http3Code.GENERAL_PROTOCOL_ERROR, messageOf(error));
    }
  }

  /** Tells every client to come back elsewhere (GOAWAY); what is under way goes on. Idempotent. */
  drain(): void {
    this.draining = true;
    for (const connection of this.connections) connection.drain();
  }

  /**
   * Closes every connection (`Http3Connection.leave`), so that its client takes it for a clean end. Resolves when all
   * are closed. Idempotent.
   */
  stop(reason: string): Promise<void> {
    this.draining = true;
    this.farewell ??= reason;
    for (const connection of [...this.connections]) connection.leave(this.farewell);
    this.stopping ??= new Promise((done) => (this.allEnded = done));
    if (this.connections.size === 0) this.allEnded();
    return this.stopping;
  }

  private onRequest(request: Http3Request): void {
    const { method, path } = request.head;
    const query = path.indexOf('?');
    const where = query === -1 ? path : path.slice(0, query);
    if (method === 'CONNECT') {
      this.connect(request, where);
    } else if (where === STREAM_PATH) {
      if (method === 'POST') this.openStream(request);
      else this.refuse(request, 405, 'POST opens a stream', [['allow', 'POST']]);
    } else {
      this.answerPage(request, where);
    }
  }

  private answerPage(request: Http3Request, where: string): void {
    const { method, authority } = request.head;
    const page = this.pageAt(where, authority);
    if (page === null) {
      this.refuse(request, 404, 'no such page');
    } else if (method === 'GET' || method === 'HEAD') {
      this.answer(request, 200, page);
    } else {
      this.refuse(request, 405, 'only GET and HEAD', [['allow', 'GET, HEAD']]);
    }
  }

  private pageAt(where: string, authority: string): PlainPage | null {
    const { pages, plainPages } = this.options;
    const page = pages.get(where);
    if (page === undefined) return plainPages?.(where, authority) ?? null;
    const body = Buffer.from(`${JSON.stringify(page())}\n`);
    return { type: 'application/json', body, headers: NOT_KEPT };
  }

  private openStream(request: Http3Request): void {
    const { options } = this;
    const { head, message, connection } = request;
    const type = head.headers.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase();
    if (type !== STREAM_CONTENT_TYPE) {
      this.refuse(request, 415, `content-type must be ${STREAM_CONTENT_TYPE}`);
    } else if (this.admits(request, options.origins, 'http3_origin')) {
      options.metrics.requests.add('200');
      message.sendFields([
        [':status', '200'],
        ['content-type', STREAM_CONTENT_TYPE],
        ['cache-control', 'no-store'],
      ]);
      options.accept(new Http3LinkStream(message, connection, options.clock, true).link);
    }
  }

  /** CONNECT: a WebTransport session, for nothing else is reached through this port. */
  private connect(request: Http3Request, where: string): void {
    const { head, message, webTransport } = request;
    const offered = this.options.webTransport;
    if (offered === null || webTransport === null || head.protocol !== WEBTRANSPORT_PROTOCOL) {
      this.refuse(request, 501, 'no CONNECT of this protocol');
    } else if (where !== WEBTRANSPORT_PATH) {
      this.refuse(request, 404, `WebTransport clients connect to ${WEBTRANSPORT_PATH}`);
    } else if (!webTransport.free) {
      // As the drafts have it for a session above what the settings allow.
      message.fail(streamFault('REQUEST_REJECTED', 'one session per connection'));
    } else if (this.admits(request, offered.origins, 'webtransport_origin')) {
      this.beginSession(request, webTransport);
      return;
    }
    webTransport?.refuse(message);
  }

  private beginSession(
    { message, connection, drain }: Http3Request,
    webTransport: WebTransportConnection,
  ): void {
    const { accept, clock, metrics, rejected } = this.options;
    metrics.requests.add('200');
    message.sendFields([
      [':status', '200'],
      ['sec-webtransport-http3-draft', 'draft02'],
    ]);
    const carrier = new WebTransportCarrier(connection, {
      accept,
      clock,
      onIdle: () => rejected.add('no_stream'),
      // Browsers never close the connection of a session that ended.
      onEnded: drain,
      streamTimeout: DEFAULT_STREAM_TIMEOUT_MS,
    });
    webTransport.begin(message, carrier);
  }

  /** Whether one more client may come; else the request was answered. */
  private admits(request: Http3Request, origins: readonly string[], reason: string): boolean {
    const { full, rejected } = this.options;
    const { head } = request;
    if (!originAllowed(head.headers.get('origin'), head.authority, origins)) {
      rejected.add(reason);
      this.refuse(request, 403, 'this origin is not allowed here');
      return false;
    }
    if (!this.draining && !full()) return true;
    rejected.add(this.draining ? 'draining' : 'max_connections');
    const retry: Field = ['retry-after', String(RETRY_AFTER_S)];
    this.refuse(request, 503, this.draining ? 'shutting down' : 'at capacity', [retry]);
    return false;
  }

  private refuse(
    request: Http3Request,
    status: number,
    text: string,
    more: readonly Field[] = [],
  ): void {
    const body = Buffer.from(`${text}\n`);
    const page = { type: 'text/plain;charset=utf-8', body, headers: NOT_KEPT };
    this.answer(request, status, page, more);
  }

  private answer(
    { head, message }: Http3Request,
    status: number,
    { type, body, headers }: PlainPage,
    more: readonly Field[] = [],
  ): void {
    this.options.metrics.requests.add(String(status));
    message.sendFields([
      [':status', String(status)],
      ['content-type', type],
      ['content-length', String(body.length)],
      ...Object.entries(headers),
      ...more,
    ]);
    if (head.method !== 'HEAD') message.write(body);
    message.end();
  }
}
