import { X509Certificate, randomBytes } from 'node:crypto';
import type { RemoteInfo } from 'node:dgram';
import dns from 'node:dns/promises';
import { isIP } from 'node:net';
import { SystemClock } from '../base/clock.js';
import type { Clock } from '../base/clock.js';
import { CodedError, messageOf } from '../base/errors.js';
import type { Logger } from '../telemetry/log.js';
import type { QuicMetrics } from '../telemetry/quic-metrics.js';
import { ConnectionIdSource } from './connection-id.js';
import type { QuicConnectionObserver } from './connection-observer.js';
import { DEFAULT_LIMITS } from './limits.js';
import type { TransportLimits } from './limits.js';
import { PeerAddress } from './peer-address.js';
import type { QuicClosed } from './quic-closed.js';
import { HANDSHAKE_TIMEOUT } from './quic-connection.js';
import type { QuicConnection } from './quic-connection.js';
import { QuicEndpoint } from './quic-endpoint.js';
import type { EndpointOwner } from './quic-endpoint.js';
import { SOLE_PATH, quiche } from './quiche.js';
import type { QuicheConfig } from './quiche.js';
import { clientConfig } from './tls-config.js';
import type { TlsTrust } from './tls-config.js';
import type { SocketBuffers } from './udp-socket.js';

export interface QuicClientOptions {
  readonly trust: TlsTrust;
  /** Offered in this order. */
  readonly alpns: readonly string[];
  readonly metrics: QuicMetrics;
  readonly log: Logger;
  readonly clock?: Clock;
  readonly limits?: Partial<TransportLimits>;
  /** A local address to use; default: any of the server's family. */
  readonly localHost?: string;
}

export interface ConnectTarget {
  readonly host: string;
  readonly port: number;
  /** The name that the certificate must bear; default: the host. */
  readonly serverName?: string;
}

/** What a client's socket asks of the kernel: bursts to one process are small. */
const CLIENT_SOCKET_BUFFERS: SocketBuffers = { recv: 212_992, send: 212_992 };

interface Attempt {
  readonly observer: QuicConnectionObserver;
  readonly target: ConnectTarget;
  readonly settle: (connection: QuicConnection) => void;
  readonly fail: (error: CodedError) => void;
}

/**
 * QUIC connections to servers, all over one UDP socket (one per address family). Make one client
 * per connection for a socket of its own, or share one for thousands.
 */
export class QuicClient implements EndpointOwner {
  private readonly ids = new ConnectionIdSource(randomBytes(32));
  private readonly config: QuicheConfig;
  private readonly limits: TransportLimits;
  private readonly endpoints = new Map<4 | 6, Promise<QuicEndpoint>>();
  private readonly attempts = new Map<QuicConnection, Attempt>();
  private stopped = false;

  constructor(private readonly options: QuicClientOptions) {
    this.limits = { ...DEFAULT_LIMITS, maxStreamsBidi: 0, ...options.limits };
    this.config = clientConfig(options.trust, options.alpns, this.limits);
  }

  /**
   * Connects; resolves when the handshake is done.
   * @param observer bound to the connection before anything can be received on it.
   * @param signal gives the attempt up; without effect once it has come to something.
   * @throws {CodedError} UNREACHABLE, HANDSHAKE_FAILED, TIMEOUT (of `limits.handshakeTimeout`),
   * REFUSED or CLOSED.
   */
  async connect(
    target: ConnectTarget,
    observer: QuicConnectionObserver,
    signal?: AbortSignal,
  ): Promise<QuicConnection> {
    const host = await addressOf(target.host);
    this.ensureWanted(target, signal);
    const endpoint = await this.endpointFor(isIP(host) === 6 ? 6 : 4);
    this.ensureWanted(target, signal);
    let abandon = (): void => undefined;
    const connected = new Promise<QuicConnection>((settle, fail) => {
      const id = this.ids.next();
      const serverName = nameToVerify(target);
      const connection = endpoint.adopt(
        quiche.Connection.connect(
          isIP(serverName) === 0 ? serverName : null,
          id,
          SOLE_PATH.local,
          SOLE_PATH.peer,
          this.config,
        ),
        new PeerAddress(host, target.port),
        false,
      );
      endpoint.addId(id, connection);
      this.attempts.set(connection, { observer, target, settle, fail });
      connection.bind({
        onStream: (stream) => observer.onStream(stream),
        onDatagrams: () => observer.onDatagrams?.(),
        onClosed: (closed) => this.onClosed(connection, closed, observer),
      });
      connection.requestFlush();
      abandon = () => this.attempts.has(connection) && connection.close(0, ABANDONED);
      signal?.addEventListener('abort', abandon);
    });
    return connected.finally(() => signal?.removeEventListener('abort', abandon));
  }

  /** Moves all connections to other local ports, as a change of network or a NAT would. */
  async rebind(): Promise<void> {
    for (const endpoint of this.endpoints.values()) await (await endpoint).rebind();
  }

  /** Closes every connection with an application code, then the sockets; idempotent. */
  async stop(code = 0, reason = ''): Promise<void> {
    this.stopped = true;
    for (const endpoint of this.endpoints.values()) {
      // One that could not be opened was told to who asked for it.
      await (await endpoint.catch(() => null))?.stop(code, reason);
    }
  }

  onEstablished(connection: QuicConnection): void {
    const attempt = this.attempts.get(connection);
    if (attempt === undefined) return;
    if (!this.bearsAddress(connection, nameToVerify(attempt.target))) {
      connection.refuse(CRYPTO_ERRORS + BAD_CERTIFICATE, 'the certificate bears another address');
      return;
    }
    this.attempts.delete(connection);
    attempt.settle(connection);
  }

  onReleased(connection: QuicConnection): void {
    this.attempts.delete(connection);
  }

  onUnknownLong(): void {
    this.options.metrics.datagramsDropped.add('unknown_connection');
  }

  onUnknownShort(datagram: Buffer, from: RemoteInfo, endpoint: QuicEndpoint): void {
    if (endpoint.resets.offer(datagram, from.address, from.port)) return;
    this.options.metrics.datagramsDropped.add('unknown_connection');
  }

  private ensureWanted(target: ConnectTarget, signal: AbortSignal | undefined): void {
    if (this.stopped) throw new CodedError('CLOSED', 'the QUIC client is closed');
    if (signal?.aborted === true) throw abandoned(target);
  }

  /** TLS checks names; that a certificate bears an IP address has to be looked up in it. */
  private bearsAddress(connection: QuicConnection, name: string): boolean {
    if (!this.options.trust.verify || isIP(name) === 0) return true;
    const certificate = connection.quiche.peerCertChain()?.[0];
    return certificate !== undefined && new X509Certificate(certificate).checkIP(name) === name;
  }

  private onClosed(
    connection: QuicConnection,
    closed: QuicClosed,
    observer: QuicConnectionObserver,
  ): void {
    const attempt = this.attempts.get(connection);
    if (attempt === undefined) {
      observer.onClosed(closed);
    } else {
      this.attempts.delete(connection);
      attempt.fail(connectError(attempt.target, closed));
    }
  }

  private endpointFor(family: 4 | 6): Promise<QuicEndpoint> {
    let endpoint = this.endpoints.get(family);
    if (endpoint === undefined) {
      endpoint = this.openEndpoint(family);
      this.endpoints.set(family, endpoint);
      endpoint.catch(() => this.endpoints.delete(family));
    }
    return endpoint;
  }

  private async openEndpoint(family: 4 | 6): Promise<QuicEndpoint> {
    const { options } = this;
    const endpointOptions = {
      host: options.localHost ?? (family === 6 ? '::' : '0.0.0.0'),
      port: 0,
      clock: options.clock ?? new SystemClock(),
      log: options.log,
      metrics: options.metrics,
      limits: this.limits,
      migration: 'drop',
      keepalive: null,
      socketBuffers: CLIENT_SOCKET_BUFFERS,
    } as const;
    const endpoint = new QuicEndpoint(endpointOptions, this.ids, this);
    await endpoint.bind();
    return endpoint;
  }
}

async function addressOf(host: string): Promise<string> {
  if (isIP(host) !== 0) return host;
  try {
    return (await dns.lookup(host)).address;
  } catch (error) {
    const what = `${host} cannot be resolved (${messageOf(error)}); check the name`;
    throw new CodedError('UNREACHABLE', what, { cause: error });
  }
}

function nameToVerify(target: ConnectTarget): string {
  return target.serverName ?? target.host;
}

/** The reason of a close that the caller of `connect` asked for; the server sees it. */
const ABANDONED = 'the attempt was abandoned';

function abandoned({ host, port }: ConnectTarget): CodedError {
  return new CodedError('CLOSED', `the attempt to reach ${host}:${port} was abandoned`);
}

const CONNECTION_REFUSED = 0x02;
/** The TLS alert (RFC 8446 section 6.2). */
const BAD_CERTIFICATE = 42;
/** TLS alerts are QUIC errors from here on (RFC 9001 section 4.8). */
const CRYPTO_ERRORS = 0x100;

function connectError({ host, port }: ConnectTarget, closed: QuicClosed): CodedError {
  if (closed.by === 'local' && closed.reason === ABANDONED) return abandoned({ host, port });
  const where = `${host}:${port}`;
  const why = closed.reason === '' ? '' : `: ${closed.reason}`;
  if (closed.by === 'loss' || (closed.by === 'local' && closed.reason === HANDSHAKE_TIMEOUT)) {
    return new CodedError('TIMEOUT', `no answer from UDP ${where}; check address and firewall`);
  }
  if (!closed.application && closed.code === CONNECTION_REFUSED) {
    return new CodedError('REFUSED', `${where} accepts no connections now; try again later`);
  }
  if (!closed.application && closed.code >= CRYPTO_ERRORS) {
    const alert = closed.code - CRYPTO_ERRORS;
    const whose = closed.by === 'peer' ? 'refused by the server' : 'refused by this side';
    const hint = 'check certificate, server name and protocol';
    return new CodedError(
      'HANDSHAKE_FAILED',
      `TLS alert ${alert} ${whose} ${where}${why}; ${hint}`,
    );
  }
  return new CodedError('CLOSED', `${where} closed the connection with code ${closed.code}${why}`);
}
