import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { memoised } from '../base/lifecycle.js';
import { listenFailure } from '../base/listen-failure.js';
import { LINGER_MS } from '../link/link.js';
import type { Logger } from '../telemetry/log.js';
import { ErrorCode } from '../wire/error-catalogue.js';
import { WS_PATH } from '../websocket/ws-endpoint.js';
import { answerPage } from './plain-pages.js';
import type { PlainPages } from './plain-pages.js';
import { pathOf } from './ws-admission.js';
import { WsHandshakes } from './ws-handshakes.js';
import { WsUpgrader, answer } from './ws-upgrader.js';
import type { WsUpgraderOptions } from './ws-upgrader.js';

/** Browsers send a few hundred bytes; a token may stand in a cookie of the same host. */
const MAX_HEADER_BYTES = 16 * 1024;
const MAX_HEADERS = 100;

/** Connections that are no WebSocket yet; they have no session to speak for them. */
const MAX_HANDSHAKES = 1_000;

/** What a TLS server presents, PEM. */
export interface WsIdentity {
  readonly cert: Buffer;
  readonly key: Buffer;
}

export interface WsServerOptions extends WsUpgraderOptions {
  /** Empty: every interface. */
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly identity: WsIdentity;
  /** From TCP to the upgrade, ms. */
  readonly handshakeTimeout: number;
  /** WebSockets at once; sockets beyond them and MAX_HANDSHAKES are closed unread. */
  readonly maxConnections: number;
  readonly log: Logger;
  /** What GET answers; default: nothing. */
  readonly pages?: PlainPages | null;
}

/**
 * WebSocket over TLS on a port of its own: `wss://HOST:PORT/gatesvr`, subprotocols `gatesvr` and
 * `gatesvr.json` (docs/PROTOCOL.md, "WebSocket"). Every connection becomes a Link.
 */
export class WsServer {
  /** @throws {StartupError} PORT_IN_USE, BAD_ADDRESS or CANNOT_LISTEN, naming the address. */
  readonly start = memoised(() => this.listen());
  private readonly server: Server;
  private readonly upgrader: WsUpgrader;
  private readonly handshakes: WsHandshakes;
  private stopping: Promise<void> | null = null;

  constructor(private readonly options: WsServerOptions) {
    const { wheel, handshakeTimeout, metrics, maxConnections } = options;
    this.upgrader = new WsUpgrader(options);
    this.handshakes = new WsHandshakes(wheel, handshakeTimeout, MAX_HANDSHAKES, (failure) =>
      metrics.rejected.add(failure),
    );
    this.server = createServer({
      ...tlsOptions(options.identity),
      handshakeTimeout,
      maxHeaderSize: MAX_HEADER_BYTES,
      // WsHandshakes is stricter than the timeouts of node:http and follows our Clock.
      headersTimeout: 0,
      requestTimeout: 0,
    });
    this.server.maxHeadersCount = MAX_HEADERS;
    if (maxConnections < Infinity) {
      this.server.maxConnections = Math.ceil(maxConnections) + MAX_HANDSHAKES;
    }
    this.listenToServer();
    metrics.observe({
      linkCount: () => this.upgrader.linkCount,
      handshakeCount: () => this.handshakes.count,
    });
  }

  /** The port that was bound, 0 before. */
  get port(): number {
    return (this.server.address() as AddressInfo | null)?.port ?? 0;
  }

  /** New connections see this certificate from now on; open ones keep theirs. */
  useIdentity(identity: WsIdentity): void {
    this.server.setSecureContext(tlsOptions(identity));
  }

  /** Takes no new connection; those that are shaking hands are answered 503. Idempotent. */
  drain(): void {
    this.upgrader.drain();
    if (this.server.listening) this.server.close();
  }

  /** Drains, then ends every Link with this code and waits until all are gone. Idempotent. */
  stop(code: ErrorCode = ErrorCode.Overloaded, reason = 'the gateway stops'): Promise<void> {
    return (this.stopping ??= this.end(code, reason));
  }

  private listenToServer(): void {
    const { server } = this;
    const { metrics, log } = this.options;
    server.on('connection', (socket: Socket) => this.handshakes.add(socket));
    server.on('drop', () => metrics.rejected.add('ws_sockets'));
    server.on('tlsClientError', () => metrics.rejected.add('ws_tls'));
    server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      metrics.rejected.add('ws_bad_request');
      if (!socket.writable) socket.destroy();
      else if (error.code === 'HPE_HEADER_OVERFLOW') answer(socket, 431, 'headers too large');
      else answer(socket, 400, 'bad request');
    });
    server.on('request', (request, response) => this.onRequest(request, response));
    server.on('upgrade', (request, socket, head) => this.onUpgrade(request, socket, head));
    // Before `listen` its own handler is told too.
    server.on('error', (error) => log.warn({ err: error }, 'the WebSocket listener failed'));
  }

  private onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.upgrader.upgrade(request, socket, head, () => this.handshakes.settle(request.socket));
  }

  private onRequest(request: IncomingMessage, response: ServerResponse): void {
    const path = pathOf(request);
    const altSvc = this.options.altSvc?.() ?? null;
    if (altSvc !== null) response.setHeader('Alt-Svc', altSvc);
    const reads = request.method === 'GET' || request.method === 'HEAD';
    const page = reads ? this.options.pages?.(path, request.headers.host ?? '') : null;
    if (page) {
      answerPage(page, request, response);
      return;
    }
    const ours = path === WS_PATH;
    this.options.metrics.rejected.add(ours ? 'ws_no_upgrade' : 'ws_path');
    if (ours) response.setHeader('Upgrade', 'websocket');
    response.writeHead(ours ? 426 : 404, { Connection: 'close', 'Content-Type': 'text/plain' });
    response.end(ours ? 'this is a WebSocket endpoint\n' : 'no such page\n');
  }

  private async listen(): Promise<void> {
    const { host, port } = this.options;
    try {
      await new Promise<void>((resolve, reject) => {
        this.server.once('error', reject);
        this.server.listen(host === '' ? { port } : { port, host }, () => {
          this.server.off('error', reject);
          resolve();
        });
      });
    } catch (error) {
      // The number is that of server.quic_addr where none is set: it is not UDP that is taken.
      throw listenFailure('TCP for server.ws_addr', host, port, error);
    }
  }

  private async end(code: ErrorCode, reason: string): Promise<void> {
    this.drain();
    const gone = new Promise<void>((resolve) => void this.server.close(() => resolve()));
    this.upgrader.finishAll(code, reason);
    this.handshakes.dropAll();
    this.server.closeAllConnections();
    const backstop = this.options.clock.after(2 * LINGER_MS, () => this.upgrader.terminateAll());
    await gone;
    // A WebSocket hears of its end a moment after its socket.
    await this.upgrader.ended();
    backstop();
  }
}

function tlsOptions({ cert, key }: WsIdentity) {
  return { cert, key, minVersion: 'TLSv1.2' as const, ALPNProtocols: ['http/1.1'] };
}
