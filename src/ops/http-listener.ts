import { fastify } from 'fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Server as TlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { messageOf } from '../base/errors.js';
import { memoised } from '../base/lifecycle.js';
import { listenEverywhere } from '../base/listen-everywhere.js';
import { listenFailure } from '../base/listen-failure.js';
import type { Address } from '../config/config.js';
import type { Logger } from '../telemetry/log.js';
import { HttpRefusal } from './http-refusal.js';
import { tlsOptions } from './listener-tls.js';
import type { ListenerTls } from './listener-tls.js';
import { oneAtATime } from './one-at-a-time.js';
import { RouteTable } from './route-table.js';
import { refuseUnparsed } from './unparsed-request.js';

/** Operators ask short questions: nothing they send needs more. */
const MAX_BODY_BYTES = 16 * 1024;
const MAX_HEADER_BYTES = 16 * 1024;
/** Filters and cursors are short; a longer URL is no question of ours. */
const MAX_URL_CHARACTERS = 2_048;
/** Time to send a whole request, ms; a peer that dribbles is cut off. */
const REQUEST_TIMEOUT_MS = 10_000;
/** How often the platform looks for requests out of time, ms; its default of 30 s would triple them. */
const TIMEOUT_CHECK_MS = 500;
/** Longer than the usual scrape interval is not worth an idle socket, ms. */
const KEEP_ALIVE_MS = 20_000;
/** Dashboards, scrapers and probes; far more is a flood. */
const MAX_CONNECTIONS = 256;

/**
 * An HTTP listener with bounded requests, JSON errors and a stop that no keep-alive connection can
 * hold up. Routes are added before `start`.
 */
export class HttpListener {
  readonly routes: FastifyInstance;
  /** Closes the listener and every connection. Idempotent. */
  readonly stop = memoised(async () => {
    // Fastify ends those that speak HTTP, but not those that are still shaking hands.
    for (const socket of this.sockets) socket.destroy();
    await this.routes.close();
  });
  private tlsServer: TlsServer | null = null;
  private readonly sockets = new Set<Socket>();
  private bound = 0;
  private readonly table = new RouteTable();

  /**
   * @param key the configuration key of the address, for messages.
   * @param tls null: plain HTTP.
   * @param requestTimeout within which a whole request must have come, ms.
   */
  constructor(
    private readonly address: Address,
    private readonly key: string,
    private readonly log: Logger,
    tls: ListenerTls | null,
    requestTimeout = REQUEST_TIMEOUT_MS,
  ) {
    this.routes = fastify({
      bodyLimit: MAX_BODY_BYTES,
      forceCloseConnections: true,
      serverFactory: (handler) => this.server(oneAtATime(handler), tls, requestTimeout),
      clientErrorHandler: refuseUnparsed,
      frameworkErrors: (error, request, reply) => this.failed(error, request, reply),
    });
    this.routes.removeContentTypeParser('text/plain');
    this.routes.addHook('onRoute', ({ method, url }) => this.table.add(method, url));
    this.routes.addHook('onRequest', refuseLongUrl);
    this.routes.server.maxConnections = MAX_CONNECTIONS;
    this.routes.setNotFoundHandler((request, reply) => this.notFound(request, reply));
    this.routes.setErrorHandler((error, request, reply) => this.failed(error, request, reply));
  }

  /** The port that was bound, 0 before. */
  get port(): number {
    return this.bound;
  }

  /** @throws {StartupError} PORT_IN_USE, BAD_ADDRESS or CANNOT_LISTEN, naming key and address. */
  async start(): Promise<void> {
    const { host, port } = this.address;
    try {
      const listen = (address: string) => this.routes.listen({ port, host: address });
      await (host === '' ? listenEverywhere(listen) : listen(host));
    } catch (error) {
      throw listenFailure(this.key, host, port, error);
    }
    const bound = this.routes.server.address();
    this.bound = typeof bound === 'object' && bound !== null ? bound.port : 0;
  }

  /** New connections see this certificate from now on; open ones keep theirs. Only for a TLS listener. */
  useTls(tls: ListenerTls): void {
    this.tlsServer?.setSecureContext(tlsOptions(tls));
  }

  private server(handler: RequestListener, tls: ListenerTls | null, timeout: number): Server {
    const limits = {
      maxHeaderSize: MAX_HEADER_BYTES,
      connectionsCheckingInterval: TIMEOUT_CHECK_MS,
      requestTimeout: timeout,
      // Where it is the longer of the two, Node exchanges them, and a body may take a minute.
      headersTimeout: timeout,
      keepAliveTimeout: KEEP_ALIVE_MS,
    };
    if (tls !== null) {
      const secure = { ...limits, ...tlsOptions(tls), handshakeTimeout: timeout };
      this.tlsServer = createTlsServer(secure, handler);
    }
    const server: Server = this.tlsServer ?? createServer(limits, handler);
    server.setTimeout(timeout + KEEP_ALIVE_MS);
    server.on('connection', (socket: Socket) => {
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
    });
    return server;
  }

  private notFound(request: FastifyRequest, reply: FastifyReply): unknown {
    const allowed = this.table.methodsOf(request.url.split('?', 1)[0] ?? '');
    if (allowed.length === 0) return reply.code(404).send(errorBody('no such page'));
    return reply
      .code(405)
      .header('allow', allowed.join(', '))
      .send(errorBody(`use ${allowed.join(' or ')}`));
  }

  private failed(error: unknown, request: FastifyRequest, reply: FastifyReply): unknown {
    if (error instanceof HttpRefusal) {
      if (error.status === 401) void reply.header('www-authenticate', 'Bearer');
      return reply.code(error.status).send(errorBody(error.message));
    }
    const status = (error as { statusCode?: number }).statusCode ?? 500;
    if (status < 500) return reply.code(status).send(errorBody(messageOf(error)));
    this.log.error({ err: error, url: request.routeOptions.url }, 'an operator request failed');
    return reply.code(500).send(errorBody('internal error, see the log'));
  }
}

function refuseLongUrl(request: FastifyRequest, _: FastifyReply, done: (error?: Error) => void) {
  const long = request.url.length > MAX_URL_CHARACTERS;
  done(long ? new HttpRefusal(414, `the URL is longer than ${MAX_URL_CHARACTERS}`) : undefined);
}

function errorBody(message: string) {
  return { error: message };
}
