import { randomBytes } from 'node:crypto';
import type { RemoteInfo } from 'node:dgram';
import { SystemClock } from '../base/clock.js';
import type { TurnPace } from '../base/turn-pace.js';
import type { Clock } from '../base/clock.js';
import { CodedError } from '../base/errors.js';
import { memoised } from '../base/lifecycle.js';
import type { Logger } from '../telemetry/log.js';
import type { QuicMetrics } from '../telemetry/quic-metrics.js';
import { announcedAckDelay } from './ack-delay.js';
import { ConnectionIdSource } from './connection-id.js';
import { initialClose } from './initial-close.js';
import { InitialGate } from './initial-gate.js';
import type { GateLimits, GateState, Verdict } from './initial-gate.js';
import type { EarlyCollection } from './early-collection.js';
import { DEFAULT_LIMITS } from './limits.js';
import type { TransportLimits } from './limits.js';
import { QUIC_V1 } from './packet-header.js';
import type { LongHeader } from './packet-header.js';
import { PeerAddress } from './peer-address.js';
import type { MigrationPolicy } from './peer-address.js';
import { DEFAULT_KEEPALIVE } from './connection-host.js';
import type { KeepalivePolicy } from './connection-host.js';
import type { QuicConnection } from './quic-connection.js';
import { QuicEndpoint } from './quic-endpoint.js';
import type { EndpointOwner } from './quic-endpoint.js';
import { SOLE_PATH, quiche } from './quiche.js';
import type { QuicheConfig, QuicheConnection } from './quiche.js';
import { StatelessResets } from './stateless-reset.js';
import { serverConfig } from './tls-config.js';
import type { TlsIdentity } from './tls-config.js';
import { DEFAULT_SOCKET_BUFFERS } from './udp-socket.js';
import type { SocketBuffers } from './udp-socket.js';

/** Takes a connection whose handshake is done: bind an observer to it before returning. */
export type ConnectionHandler = (connection: QuicConnection) => void;

/** The keys that must survive a restart and be shared by a pair, so that its clients notice nothing. */
export interface QuicKeys {
  /** Keys stateless reset tokens; at least 32 bytes. */
  readonly reset: Uint8Array;
  /** Keys Retry tokens; at least 32 bytes. */
  readonly retry: Uint8Array;
  /** Encrypts session tickets; exactly 48 bytes. */
  readonly ticket: Uint8Array;
}

export interface QuicServerOptions {
  /** Empty: every address of the machine, IPv6 and IPv4. */
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly identity: TlsIdentity;
  /** What is spoken on this port; where a client offers several its order decides. */
  readonly protocols: Readonly<Record<string, ConnectionHandler>>;
  readonly metrics: QuicMetrics;
  readonly log: Logger;
  readonly clock?: Clock;
  readonly limits?: Partial<TransportLimits>;
  /** Random keys where it is missing: then nothing survives a restart. */
  readonly keys?: QuicKeys;
  /** Default follow. */
  readonly migration?: MigrationPolicy;
  /** Default: 20 s of silence, where the idle timeout is below 60 s. null turns it off. */
  readonly keepalive?: KeepalivePolicy | null;
  /** Connections, handshakes included, above which Initials are answered with CONNECTION_REFUSED. */
  readonly maxConnections?: number;
  readonly handshakes?: Partial<GateLimits>;
  /** What the kernel is asked for; default: 4 MiB each way. */
  readonly socketBuffers?: SocketBuffers;
  /** Runs in every turn before anything is sent; must not throw. */
  readonly beforeFlush?: () => void;
  /** When connections are heard and served; default: always. */
  readonly pace?: TurnPace;
  /** Default: V8 collects young objects when it likes. */
  readonly collection?: EarlyCollection;
}

/**
 * Some 0.3 s of handshakes at full speed: more under way means that clients are not answering. At
 * 10,000 they hold about 500 MB, at the price of Retry an attacker has to hold real addresses for.
 */
const DEFAULT_GATE: GateLimits = Object.freeze({ retryAbove: 1_000, maxHandshakes: 10_000 });

/** Accepts QUIC connections on one UDP port. `start`, `drain` and `stop` are idempotent. */
export class QuicServer implements EndpointOwner, GateState {
  private readonly endpoint: QuicEndpoint;
  private readonly ids: ConnectionIdSource;
  /** Destination connection id of the client that was refused last. */
  private lastRefused = Buffer.alloc(0);
  private readonly gate: InitialGate;
  private readonly resets: StatelessResets;
  private readonly limits: TransportLimits;
  private readonly keys: QuicKeys;
  private config: QuicheConfig;
  private connectionLimit: number;
  private handshakes = 0;
  private draining = false;

  /** @throws {StartupError} where certificate, key or a QUIC key cannot be used. */
  constructor(private readonly options: QuicServerOptions) {
    const clock = options.clock ?? new SystemClock();
    this.limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.keys = options.keys ?? randomKeys();
    this.config = this.buildConfig(options.identity);
    this.connectionLimit = options.maxConnections ?? Infinity;
    this.ids = new ConnectionIdSource(this.keys.reset);
    this.resets = new StatelessResets(this.ids, clock);
    const gateLimits = { ...DEFAULT_GATE, ...options.handshakes };
    this.gate = new InitialGate(this.keys.retry, clock, this.ids, gateLimits, this);
    const endpointOptions = {
      host: options.host,
      port: options.port,
      clock,
      log: options.log,
      metrics: options.metrics,
      limits: this.limits,
      migration: options.migration ?? 'follow',
      keepalive: options.keepalive === undefined ? DEFAULT_KEEPALIVE : options.keepalive,
      socketBuffers: options.socketBuffers ?? DEFAULT_SOCKET_BUFFERS,
      beforeFlush: options.beforeFlush,
      pace: options.pace,
      collection: options.collection,
    };
    this.endpoint = new QuicEndpoint(endpointOptions, this.ids, this);
  }

  /** The port that was bound; 0 before start. */
  get port(): number {
    return this.endpoint.port;
  }

  /** Connections that hold memory, with handshakes under way and those that are closing. */
  connectionCount(): number {
    return this.endpoint.connections.size;
  }

  handshakeCount(): number {
    return this.handshakes;
  }

  /** Connection ids that are known; for tests that look for leaks. */
  idCount(): number {
    return this.endpoint.idCount;
  }

  /** Why no connection may begin now, or null. */
  refusal(): string | null {
    if (this.draining) return 'draining';
    return this.connectionCount() >= this.connectionLimit ? 'max_connections' : null;
  }

  /** Binds the port. @throws {StartupError} PORT_IN_USE, BAD_ADDRESS or CANNOT_LISTEN. */
  readonly start = memoised(() => this.endpoint.bind());

  /** No new connections from now on: they are told CONNECTION_REFUSED; existing ones go on. */
  drain(): void {
    this.draining = true;
  }

  /** Closes every connection with an application code, then the port. */
  async stop(code = 0, reason = 'server stops'): Promise<void> {
    this.drain();
    await this.endpoint.stop(code, reason);
  }

  /**
   * Uses another certificate for connections that begin from now on.
   * @throws {StartupError} where it cannot be used; the former one then stays.
   */
  useIdentity(identity: TlsIdentity): void {
    this.config = this.buildConfig(identity);
  }

  /** Changes `maxConnections`; existing connections stay. */
  limitConnections(limit: number): void {
    this.connectionLimit = limit;
  }

  onEstablished(connection: QuicConnection): void {
    this.handshakes--;
    this.options.metrics.connections.add();
    const handler = this.options.protocols[connection.alpn];
    if (handler === undefined) throw new CodedError('NO_PROTOCOL', `ALPN ${connection.alpn}`);
    handler(connection);
  }

  onReleased(connection: QuicConnection): void {
    if (!connection.established) this.handshakes--;
  }

  onUnknownLong(header: LongHeader, datagram: Buffer, from: RemoteInfo): void {
    if (header.version === QUIC_V1 && header.kind === 'handshake') {
      this.resetUnknown(this.resets.answerHandshake(header.dcid, datagram), from);
      return;
    }
    const verdict = this.gate.judge(header, datagram, from);
    switch (verdict.kind) {
      case 'accept':
        this.accept(verdict, header, datagram, from);
        break;
      case 'refuse':
        this.countRefused(header.dcid, verdict.reason);
        this.answer(verdict.label, verdict.datagram, from);
        break;
      case 'answer':
        this.answer(verdict.label, verdict.datagram, from);
        break;
      case 'drop':
        this.options.metrics.datagramsDropped.add(verdict.reason);
    }
  }

  onUnknownShort(datagram: Buffer, from: RemoteInfo): void {
    this.resetUnknown(this.resets.answerShort(datagram), from);
  }

  private resetUnknown(reset: Buffer | null, from: RemoteInfo): void {
    if (reset !== null) this.answer('reset', reset, from);
    else this.options.metrics.datagramsDropped.add('unknown_connection');
  }

  /** Once per client: a ClientHello may take two datagrams, which come one after the other. */
  private countRefused(destination: Uint8Array, reason: string): void {
    if (this.lastRefused.equals(destination)) return;
    this.lastRefused = Buffer.from(destination);
    this.options.metrics.rejected.add(reason);
  }

  private answer(label: string, datagram: Buffer, to: RemoteInfo): void {
    this.options.metrics.answered.add(label);
    this.endpoint.transmitStateless(datagram, to);
  }

  private accept(
    verdict: Extract<Verdict, { kind: 'accept' }>,
    header: LongHeader,
    datagram: Buffer,
    from: RemoteInfo,
  ): void {
    this.config.setStatelessResetToken(this.ids.resetTokenNumber(verdict.id));
    this.config.setMaxAckDelay(announcedAckDelay(this.connectionCount()));
    const connection = this.endpoint.adopt(
      quiche.Connection.accept(
        verdict.id,
        verdict.originalId,
        SOLE_PATH.local,
        SOLE_PATH.peer,
        this.config,
      ),
      new PeerAddress(from.address, from.port, verdict.originalId !== null),
      true,
    );
    this.handshakes++;
    this.endpoint.addId(verdict.id, connection);
    // A ClientHello may span several Initials, all of them to the id that the client chose.
    if (verdict.originalId === null) this.endpoint.addId(header.dcid, connection);
    connection.receive(datagram, from.address, from.port);
    this.closeStillborn(connection, header, from);
    if (!hasAccepted(connection.quiche)) connection.release();
  }

  /**
   * If the very first packet broke the handshake (no common protocol, say), quiche sends nothing, and
   * the client would go on asking until it gives up.
   */
  private closeStillborn(connection: QuicConnection, header: LongHeader, from: RemoteInfo): void {
    const error = connection.quiche.localError();
    if (error === null) return;
    this.answer('close', initialClose(header.scid, header.dcid, error.errorCode), from);
  }

  private buildConfig(identity: TlsIdentity): QuicheConfig {
    const alpns = Object.keys(this.options.protocols);
    return serverConfig(identity, alpns, this.limits, this.keys.ticket);
  }
}

/**
 * Whether the first packet could be read, as a genuine one always can: its keys come from its own destination
 * id. Asking for statistics costs ten times what a timer does, which nothing starts but an accepted packet.
 */
function hasAccepted(connection: QuicheConnection): boolean {
  return connection.timeout() !== null || connection.stats().recv > 0;
}

function randomKeys(): QuicKeys {
  return { reset: randomBytes(32), retry: randomBytes(32), ticket: randomBytes(48) };
}
