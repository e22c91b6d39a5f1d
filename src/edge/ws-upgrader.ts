import { STATUS_CODES } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { ServerOptions, WebSocket } from 'ws';
import { peerAddress } from '../base/client-address.js';
import type { TurnPace } from '../base/turn-pace.js';
import type { Clock } from '../base/clock.js';
import type { TimerWheel } from '../base/timer-wheel.js';
import { LINGER_MS } from '../link/link.js';
import type { Link } from '../link/link.js';
import type { WsMetrics } from '../telemetry/ws-metrics.js';
import { ErrorCode } from '../wire/error-catalogue.js';
import { MAX_FRAME_BYTES } from '../wire/limits.js';
import {
  RETRY_AFTER_S,
  WS_VERSION,
  chooseSubprotocol,
  originAllowed,
  refusalOf,
  subprotocols,
} from './ws-admission.js';
import type { UpgradeRefusal } from './ws-admission.js';
import { COMPRESSION, declineUnmetOffers } from './ws-compression.js';
import { binaryCodec } from '../websocket/ws-codec.js';
import { closeCodeOf, closeReason } from '../websocket/ws-fault.js';
import { WsLink } from '../websocket/ws-link.js';
import type { LivenessOptions } from '../websocket/ws-liveness.js';
import { ReadTurn } from '../websocket/ws-read-turn.js';
import { WriteTurn } from '../websocket/ws-write-turn.js';

/** Pieces of a message: browsers send whole ones, and a slow link cuts 1 MiB into about 750. */
const MAX_FRAGMENTS = 1_024;
const MAX_BUFFERED_CHUNKS = 4_096;

/**
 * Pongs that wait for a peer that pings and does not read. Those to pings of one read of the socket wait for its
 * end in any case: a client's pings of some minutes may come together, when a network that stalled goes on.
 */
const MAX_PENDING_PONGS = 1_024;

export interface WsUpgraderOptions {
  /** Takes a client's Link: bind an observer to it before returning. */
  readonly accept: (link: Link) => void;
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  readonly metrics: WsMetrics;
  /** Origins beside the own host whose pages may connect (`originAllowed`). */
  readonly origins: readonly string[];
  /** Offers permessage-deflate (RFC 7692). */
  readonly compression: boolean;
  readonly liveness: LivenessOptions;
  /** Runs in every turn before anything is sent; must not throw. */
  readonly beforeFlush?: () => void;
  /** When anything is sent; default: always. */
  readonly pace?: TurnPace;
  /** Whether there is no room even for a connection that is only told so by its close code. */
  readonly full?: () => boolean;
  /** The Alt-Svc header of answers (RFC 7838), null for none. */
  readonly altSvc?: () => string | null;
  /** The client's address where a trusted proxy stands between; default: the peer of the socket. */
  readonly addressOf?: (request: IncomingMessage) => string;
}

/** Makes Links of HTTP upgrade requests, or answers why not. */
export class WsUpgrader {
  private readonly webSockets: WebSocketServer;
  private readonly links = new Set<WsLink>();
  private readonly turn: WriteTurn;
  private readonly reading = new ReadTurn();
  private draining = false;
  private onAllEnded: () => void = () => undefined;

  constructor(private readonly options: WsUpgraderOptions) {
    const timing = options.metrics.flush.timedBy(options.clock);
    this.turn = new WriteTurn(timing, options.beforeFlush, options.pace);
    const settings: ServerOptions & { closeTimeout: number; maxPendingAutoPongs: number } = {
      noServer: true,
      maxPayload: MAX_FRAME_BYTES,
      maxFragments: MAX_FRAGMENTS,
      maxBufferedChunks: MAX_BUFFERED_CHUNKS,
      maxPendingAutoPongs: MAX_PENDING_PONGS,
      perMessageDeflate: options.compression ? COMPRESSION : false,
      handleProtocols: (offers) => chooseSubprotocol(offers) ?? false,
      // A backstop where no Link stands behind the WebSocket: LINGER_MS is the rule of Links.
      closeTimeout: LINGER_MS,
    };
    this.webSockets = new WebSocketServer(settings);
    this.webSockets.on('headers', (headers) => {
      const altSvc = options.altSvc?.() ?? null;
      if (altSvc !== null) headers.push(`Alt-Svc: ${altSvc}`);
    });
    this.webSockets.on('wsClientError', (error, socket) => {
      this.refuse(socket, { status: 400, reason: 'ws_bad_request', message: error.message });
    });
  }

  get linkCount(): number {
    return this.links.size;
  }

  /** Refuses every upgrade from here on. */
  drain(): void {
    this.draining = true;
  }

  /**
   * Answers one upgrade request.
   * @param onUpgraded called before the first frame may be read, if it comes about.
   */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, onUpgraded: () => void): void {
    const refusal = refusalOf(request) ?? this.lackOfRoom();
    if (refusal !== null) {
      this.refuse(socket, refusal);
      return;
    }
    if (this.options.compression) declineUnmetOffers(request.headers);
    this.webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      onUpgraded();
      const { origin, host } = request.headers;
      if (originAllowed(origin, host, this.options.origins)) this.open(webSocket, request);
      else this.turnAway(webSocket, String(origin));
    });
  }

  /** Every Link finishes with this code; each is gone after LINGER_MS. */
  finishAll(code: ErrorCode, reason: string): void {
    for (const link of [...this.links]) link.finish(code, reason);
  }

  /** Ends what is left without ceremony. */
  terminateAll(): void {
    for (const webSocket of this.webSockets.clients) webSocket.terminate();
  }

  /** Resolves once no Link is open any more. */
  ended(): Promise<void> {
    return new Promise((resolve) => {
      this.onAllEnded = resolve;
      if (this.links.size === 0) resolve();
    });
  }

  private forget(link: WsLink): void {
    this.links.delete(link);
    if (this.links.size === 0) this.onAllEnded();
  }

  private open(webSocket: WebSocket, request: IncomingMessage): void {
    const { accept, clock, wheel, liveness, addressOf = peerAddress } = this.options;
    const link = new WsLink(webSocket, request.socket, {
      codec: subprotocols.get(webSocket.protocol) ?? binaryCodec,
      remoteAddress: addressOf(request),
      clock,
      wheel,
      turn: this.turn,
      liveness,
      onEnded: (ended) => this.forget(ended),
    });
    this.links.add(link);
    this.reading.watch(webSocket, request.socket);
    accept(link);
  }

  /** By close code, not by HTTP status: a page's script sees only the former. */
  private turnAway(webSocket: WebSocket, origin: string): void {
    this.options.metrics.rejected.add('ws_origin');
    webSocket.on('error', () => webSocket.terminate());
    const reason = `origin ${origin} is not allowed here`;
    webSocket.close(closeCodeOf(ErrorCode.Forbidden), closeReason(reason));
  }

  private lackOfRoom(): UpgradeRefusal | null {
    if (this.draining) return { status: 503, reason: 'draining', message: 'shutting down' };
    if (this.options.full?.() !== true) return null;
    return { status: 503, reason: 'max_connections', message: 'at capacity' };
  }

  private refuse(socket: Duplex, { status, reason, message }: UpgradeRefusal): void {
    this.options.metrics.rejected.add(reason);
    const altSvc = this.options.altSvc?.() ?? null;
    const headers = [
      // RFC 6455 section 4.4, and RFC 9110 section 15.5.22: what would do instead.
      ...(status === 426 ? [`Sec-WebSocket-Version: ${WS_VERSION}`, 'Upgrade: websocket'] : []),
      ...(status === 503 ? [`Retry-After: ${RETRY_AFTER_S}`] : []),
      ...(altSvc === null ? [] : [`Alt-Svc: ${altSvc}`]),
    ];
    answer(socket, status, message, headers);
  }
}

/** Answers an HTTP request on its bare socket and closes it. */
export function answer(
  socket: Duplex,
  status: number,
  message: string,
  headers: readonly string[] = [],
): void {
  const body = `${message}\n`;
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'Connection: close',
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...headers,
  ];
  socket.on('error', () => socket.destroy());
  socket.once('finish', () => socket.destroy());
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`);
}
