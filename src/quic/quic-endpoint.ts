import type { RemoteInfo } from 'node:dgram';
import type { Clock } from '../base/clock.js';
import type { TurnPace } from '../base/turn-pace.js';
import { TimerWheel } from '../base/timer-wheel.js';
import type { Logger } from '../telemetry/log.js';
import type { QuicMetrics } from '../telemetry/quic-metrics.js';
import { idKey } from './connection-id.js';
import type { ConnectionIdSource } from './connection-id.js';
import type { EarlyCollection } from './early-collection.js';
import { closeAll } from './gentle-stop.js';
import {
  ACTIVE_CONNECTION_IDS,
  CONNECTION_ID_BYTES,
  MAX_SEND_DATAGRAM_BYTES,
  MIN_PACKET_BYTES,
} from './limits.js';
import type { TransportLimits } from './limits.js';
import { isShortHeader, parseLongHeader } from './packet-header.js';
import type { LongHeader } from './packet-header.js';
import type { PeerAddress } from './peer-address.js';
import type { MigrationPolicy } from './peer-address.js';
import { QuicConnection } from './quic-connection.js';
import type { ConnectionOwner } from './quic-connection.js';
import type { KeepalivePolicy } from './connection-host.js';
import type { QuicheConnection } from './quiche.js';
import { ResetSearch } from './reset-search.js';
import { SendErrors } from './send-errors.js';
import { TurnScheduler } from './turn-scheduler.js';
import { UdpSocket } from './udp-socket.js';
import type { SocketBuffers } from './udp-socket.js';

/**
 * Resolution of all connection timers, ms. A probe that is late by this matters to nobody, and each tick at which
 * something is due wakes the process: with 5 ms a request among few cost an eighth more.
 */
const TICK_MS = 10;

/** One read takes a whole flow control window's worth in few steps. */
const READ_BUFFER_BYTES = 64 * 1024;

/** Small writes of a turn are copied together here; larger than a first congestion window. */
const GATHER_BUFFER_BYTES = 16 * 1024;

/** What all connections over one UDP socket share. */
export interface EndpointOptions {
  readonly host: string;
  readonly port: number;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: QuicMetrics;
  readonly limits: TransportLimits;
  readonly migration: MigrationPolicy;
  readonly keepalive: KeepalivePolicy | null;
  readonly socketBuffers: SocketBuffers;
  /** Runs in every turn before anything is sent; must not throw. */
  readonly beforeFlush?: (() => void) | undefined;
  readonly pace?: TurnPace | undefined;
  /** Told of every connection, packet and turn; without it V8 collects young objects when it likes. */
  readonly collection?: EarlyCollection | undefined;
}

/** What a server or a client adds to the endpoint. */
export interface EndpointOwner {
  /** The handshake of a connection is done. */
  onEstablished(connection: QuicConnection): void;
  /** A connection is gone, established or not. */
  onReleased(connection: QuicConnection): void;
  /** A long-header packet whose destination id belongs to no connection. */
  onUnknownLong(header: LongHeader, datagram: Buffer, from: RemoteInfo): void;
  /** A short-header packet whose destination id belongs to no connection. */
  onUnknownShort(datagram: Buffer, from: RemoteInfo, endpoint: QuicEndpoint): void;
}

/** A UDP socket, the connections over it by connection id, and what they share. */
export class QuicEndpoint implements ConnectionOwner {
  readonly clock: Clock;
  readonly log: Logger;
  readonly sendErrors: SendErrors;
  readonly metrics: QuicMetrics;
  readonly limits: TransportLimits;
  readonly migration: MigrationPolicy;
  readonly keepalive: KeepalivePolicy | null;
  readonly scheduler: TurnScheduler;
  readonly wheel: TimerWheel;
  readonly gatherBuffer = Buffer.allocUnsafeSlow(GATHER_BUFFER_BYTES);
  readonly readBuffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);
  sendBuffer = Buffer.allocUnsafeSlow(MAX_SEND_DATAGRAM_BYTES);
  /** For clients: whom a stateless reset may be meant for. */
  readonly resets: ResetSearch;
  private readonly byId = new Map<string, QuicConnection>();
  private readonly all = new Set<QuicConnection>();
  private socket: UdpSocket | null = null;
  private stopping: Promise<void> | null = null;
  private readonly onDatagram = (datagram: Buffer, from: RemoteInfo): void => {
    this.metrics.datagrams.add();
    try {
      this.dispatch(datagram, from);
    } catch (error) {
      // Nothing that a datagram brings about may reach the process (DESIGN.md, "What must always hold").
      this.log.warn({ err: error }, 'a datagram could not be handled');
      this.metrics.datagramsDropped.add('malformed');
    }
  };

  constructor(
    private readonly options: EndpointOptions,
    private readonly ids: ConnectionIdSource,
    private readonly owner: EndpointOwner,
  ) {
    this.clock = options.clock;
    this.log = options.log;
    this.metrics = options.metrics;
    const failed = this.metrics.datagramsDropped.of('send_error');
    this.sendErrors = new SendErrors(failed, options.clock, options.log);
    const { datagrams } = options.metrics;
    const datagramsRead = () => datagrams.value;
    this.scheduler = new TurnScheduler({
      now: () => this.clock.now(),
      datagramsRead,
      timing: options.metrics.flush.timedBy(options.clock),
      beforeFlush: options.beforeFlush,
      afterFlush: () => options.collection?.turnEnds(),
      pace: options.pace,
    });
    this.limits = options.limits;
    this.migration = options.migration;
    this.keepalive = options.keepalive;
    this.resets = new ResetSearch(options.clock);
    this.wheel = new TimerWheel(options.clock, TICK_MS, {
      datagramsRead,
      isBehind: () => this.scheduler.behind,
    });
  }

  /** Connections that still hold memory here, also those that are closing. */
  get connections(): ReadonlySet<QuicConnection> {
    return this.all;
  }

  /** Connection ids that lead to a connection. */
  get idCount(): number {
    return this.byId.size;
  }

  get port(): number {
    return this.socket?.port ?? 0;
  }

  /** @throws {StartupError} where the address cannot be bound. */
  async bind(): Promise<void> {
    this.socket ??= await this.openSocket(this.options.port);
  }

  /**
   * Goes on over another local port: to the peers it looks like a rebinding NAT. They are told with a
   * PING, for one that only sends would go on sending to the old port.
   */
  async rebind(): Promise<void> {
    const former = this.socket;
    this.socket = await this.openSocket(0);
    for (const connection of this.all) connection.ping();
    await former?.close();
  }

  /** Closes every connection with an application code, then the socket; idempotent. */
  stop(code: number, reason: string): Promise<void> {
    return (this.stopping ??= this.closeEverything(code, reason));
  }

  /** Takes a connection in under its ids. */
  adopt(quiche: QuicheConnection, peer: PeerAddress, isServer: boolean): QuicConnection {
    this.options.collection?.connectionBegins();
    const connection = new QuicConnection(this, quiche, peer, isServer);
    this.all.add(connection);
    return connection;
  }

  /** Makes an id lead to a connection until the connection is gone. */
  addId(id: Uint8Array, connection: QuicConnection): void {
    const key = idKey(id);
    this.byId.set(key, connection);
    connection.idKeys.push(key);
  }

  transmit(length: number, port: number, host: string): void {
    this.options.collection?.packetMade();
    if (this.socket === null) return;
    if (!this.socket.send(this.sendBuffer.subarray(0, length), port, host)) {
      this.sendBuffer = Buffer.allocUnsafeSlow(MAX_SEND_DATAGRAM_BYTES);
    }
  }

  /** Sends a datagram that belongs to no connection; its buffer must not be used again. */
  transmitStateless(datagram: Uint8Array, to: RemoteInfo): void {
    this.socket?.send(datagram, to.port, to.address);
  }

  established(connection: QuicConnection): void {
    this.owner.onEstablished(connection);
  }

  replenishIds(connection: QuicConnection): void {
    const { quiche } = connection;
    // Nearly always nothing was retired, and this is asked in every turn.
    if (connection.idsIssued > 0 && quiche.activeSourceCids() >= connection.idsIssued) return;
    for (let id = quiche.retiredScidNext(); id !== null; id = quiche.retiredScidNext()) {
      this.dropId(idKey(id), connection);
    }
    // Events of paths that we do not use would pile up in quiche.
    while (quiche.pathEventNext() !== null);
    if (quiche.isDraining() || quiche.isClosed()) return;
    // They leave with what leaves next, an acknowledgement at the latest: a Go client retires its first id as soon
    // as it is connected, and a packet for its successor alone would wake it once more.
    while (quiche.activeSourceCids() < ACTIVE_CONNECTION_IDS && quiche.sourceCidsLeft() > 0) {
      const id = this.ids.next();
      quiche.newSourceCid(id, this.ids.resetTokenNumber(id), false);
      this.addId(id, connection);
    }
    connection.idsIssued = quiche.activeSourceCids();
  }

  spoke(connection: QuicConnection): void {
    this.resets.spoke(connection);
  }

  heard(connection: QuicConnection): void {
    this.resets.heard(connection);
  }

  released(connection: QuicConnection): void {
    this.resets.heard(connection);
    for (const key of connection.idKeys) this.byId.delete(key);
    connection.idKeys.length = 0;
    if (this.all.delete(connection)) this.owner.onReleased(connection);
  }

  private dropId(key: string, connection: QuicConnection): void {
    this.byId.delete(key);
    const index = connection.idKeys.indexOf(key);
    if (index !== -1) connection.idKeys.splice(index, 1);
  }

  private dispatch(datagram: Buffer, from: RemoteInfo): void {
    if (datagram.length < MIN_PACKET_BYTES) {
      this.metrics.datagramsDropped.add('malformed');
    } else if (isShortHeader(datagram)) {
      const connection = this.byId.get(datagram.toString('latin1', 1, 1 + CONNECTION_ID_BYTES));
      if (connection !== undefined) connection.receive(datagram, from.address, from.port);
      else this.owner.onUnknownShort(datagram, from, this);
    } else {
      this.dispatchLong(datagram, from);
    }
  }

  private dispatchLong(datagram: Buffer, from: RemoteInfo): void {
    const header = parseLongHeader(datagram);
    if (header === null) {
      this.metrics.datagramsDropped.add('malformed');
      return;
    }
    const connection = this.byId.get(idKey(header.dcid));
    if (connection !== undefined) connection.receive(datagram, from.address, from.port);
    else this.owner.onUnknownLong(header, datagram, from);
  }

  private openSocket(port: number): Promise<UdpSocket> {
    return UdpSocket.bind({
      host: this.options.host,
      port,
      buffers: this.options.socketBuffers,
      onDatagram: this.onDatagram,
      onDropped: () => this.metrics.datagramsDropped.add('send_queue'),
      onFailed: (error) => this.sendErrors.note(error, 'UDP datagrams cannot be sent'),
      log: this.log,
    });
  }

  private async closeEverything(code: number, reason: string): Promise<void> {
    await closeAll([...this.all], (connection) => connection.close(code, reason), {
      queuedBytes: () => this.socket?.queuedBytes ?? 0,
      turn: nextTurnIsOver,
      pause: () => new Promise((done) => this.clock.after(1, done)),
    });
    this.wheel.stop();
    await this.socket?.close();
    this.socket = null;
    for (const connection of [...this.all]) connection.release();
  }
}

/** What was asked for leaves in the next turn; the one after it surely comes later. */
async function nextTurnIsOver(): Promise<void> {
  await new Promise((done) => setImmediate(done));
  await new Promise((done) => setImmediate(done));
}
