import type { Clock } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import type { TimerWheel } from '../base/timer-wheel.js';
import { Http3Connection } from '../http3/http3-connection.js';
import type { Http3Request } from '../http3/http3-connection.js';
import { Http3Code } from '../http3/http3-fault.js';
import { MAX_REQUESTS, MAX_UNI_STREAMS } from '../http3/limits.js';
import type { Field } from '../http3/qpack-static-table.js';
import type { Link } from '../link/link.js';
import type { TransportLimits } from '../quic/limits.js';
import type { ConnectionHandler } from '../quic/quic-server.js';
import type { Http3Metrics } from '../telemetry/http3-metrics.js';
import type { LabelledTally } from '../telemetry/tally.js';
import { Http3LinkStream } from './h3-link-stream.js';
import { originAllowed } from './ws-admission.js';

/** The protocol name of HTTP/3 (RFC 9114 section 3.1). */
export const HTTP3_ALPN = 'h3';

/** Where a client POSTs the frames of its session (docs/PROTOCOL.md, "HTTP/3"). */
export const STREAM_PATH = '/gatesvr/stream';
export const STREAM_CONTENT_TYPE = 'application/x-gatesvr';

/** Streams that a port which speaks HTTP/3 must let its clients open. */
export const HTTP3_STREAMS: Pick<TransportLimits, 'maxStreamsBidi' | 'maxStreamsUni'> =
  Object.freeze({ maxStreamsBidi: MAX_REQUESTS, maxStreamsUni: MAX_UNI_STREAMS });

/** When a client that was refused for lack of room may try again, s. */
const RETRY_AFTER_S = 5;

/** A page that is answered with JSON: what it says now. */
export type Http3Page = () => object;

export interface Http3EdgeOptions {
  /** Takes a client's Link: bind an observer to it before returning. */
  readonly accept: (link: Link) => void;
  /** What GET answers, by path. */
  readonly pages: ReadonlyMap<string, Http3Page>;
  /** Origins beside the own host whose pages may open a stream (`originAllowed`). */
  readonly origins: readonly string[];
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

  constructor(private readonly options: Http3EdgeOptions) {}

  /** For QuicServer: takes a connection. */
  readonly accept: ConnectionHandler = (connection) => {
    const { wheel, metrics } = this.options;
    try {
      const http3 = new Http3Connection(connection, {
        onRequest: (request) => this.onRequest(request),
        onEnded: (ended) => this.connections.delete(ended),
        wheel,
        metrics,
      });
      connection.bind(http3);
      this.connections.add(http3);
      if (this.draining) http3.drain();
    } catch (error) {
      // The client allows us no control stream.
      connection.close(Http3Code.GENERAL_PROTOCOL_ERROR, messageOf(error));
    }
  };

  /** Tells every client to come back elsewhere (GOAWAY); what is under way goes on. Idempotent. */
  drain(): void {
    this.draining = true;
    for (const connection of this.connections) connection.drain();
  }

  /** Closes every connection, so that its client takes it for a clean end. */
  stop(reason: string): void {
    this.drain();
    for (const connection of [...this.connections]) connection.close(reason);
  }

  private onRequest(request: Http3Request): void {
    const { method, path } = request.head;
    const query = path.indexOf('?');
    const where = query === -1 ? path : path.slice(0, query);
    const page = this.options.pages.get(where);
    if (where === STREAM_PATH) {
      if (method === 'POST') this.openStream(request);
      else this.refuse(request, 405, 'POST opens a stream', [['allow', 'POST']]);
    } else if (page === undefined) {
      this.refuse(request, 404, 'no such page');
    } else if (method === 'GET' || method === 'HEAD') {
      this.answer(request, 200, 'application/json', `${JSON.stringify(page())}\n`);
    } else {
      this.refuse(request, 405, 'only GET and HEAD', [['allow', 'GET, HEAD']]);
    }
  }

  private openStream(request: Http3Request): void {
    const { options } = this;
    const { head, message, connection } = request;
    const type = head.headers.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase();
    const origin = head.headers.get('origin');
    if (type !== STREAM_CONTENT_TYPE) {
      this.refuse(request, 415, `content-type must be ${STREAM_CONTENT_TYPE}`);
    } else if (!originAllowed(origin, head.authority, options.origins)) {
      options.rejected.add('http3_origin');
      this.refuse(request, 403, 'this origin is not allowed here');
    } else if (this.draining || options.full()) {
      options.rejected.add(this.draining ? 'draining' : 'max_connections');
      const retry: Field = ['retry-after', String(RETRY_AFTER_S)];
      this.refuse(request, 503, this.draining ? 'shutting down' : 'at capacity', [retry]);
    } else {
      options.metrics.requests.add('200');
      message.sendFields([
        [':status', '200'],
        ['content-type', STREAM_CONTENT_TYPE],
        ['cache-control', 'no-store'],
      ]);
      options.accept(new Http3LinkStream(message, connection, options.clock, true).link);
    }
  }

  private refuse(
    request: Http3Request,
    status: number,
    text: string,
    more: readonly Field[] = [],
  ): void {
    this.answer(request, status, 'text/plain;charset=utf-8', `${text}\n`, more);
  }

  private answer(
    { head, message }: Http3Request,
    status: number,
    type: string,
    text: string,
    more: readonly Field[] = [],
  ): void {
    const body = Buffer.from(text);
    this.options.metrics.requests.add(String(status));
    message.sendFields([
      [':status', String(status)],
      ['content-type', type],
      ['content-length', String(body.length)],
      ['cache-control', 'no-store'],
      ['x-content-type-options', 'nosniff'],
      ...more,
    ]);
    if (head.method !== 'HEAD') message.write(body);
    message.end();
  }
}
