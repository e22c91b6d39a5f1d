import dgram from 'node:dgram';
import type { RemoteInfo, Socket } from 'node:dgram';
import { isIP } from 'node:net';
import dns from 'node:dns/promises';
import { memoised } from '../base/lifecycle.js';
import { listenEverywhere } from '../base/listen-everywhere.js';
import { listenFailure } from '../base/listen-failure.js';
import type { Logger } from '../telemetry/log.js';

/** Bytes of packets that may wait for the kernel; beyond that packets are lost, as on any network. */
const MAX_QUEUED_BYTES = 4 * 1024 * 1024;

/** What the kernel is asked to hold for a socket, bytes each way. */
export interface SocketBuffers {
  readonly recv: number;
  readonly send: number;
}

/** They hold a burst of some 3,000 datagrams while this process is busy. */
export const DEFAULT_SOCKET_BUFFERS: SocketBuffers = Object.freeze({
  recv: 4 * 1024 * 1024,
  send: 4 * 1024 * 1024,
});

export interface UdpSocketOptions {
  /** Empty: every address of the machine, IPv6 and IPv4. A name is resolved once. */
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly buffers: SocketBuffers;
  readonly onDatagram: (datagram: Buffer, from: RemoteInfo) => void;
  /** A packet was dropped because the kernel is far behind. */
  readonly onDropped: () => void;
  /** The kernel refused a packet (EPERM, ENETUNREACH, EMSGSIZE ...), or one of many that it refuses. */
  readonly onFailed: (error: Error) => void;
  readonly log: Logger;
}

/**
 * The kernel's refusals are told to callbacks only, and a callback costs a tick of the process per packet.
 * So one packet in so many asks, a power of two, and each one after a refusal until so many were taken.
 */
const ASK_EVERY = 16;

type LookupCallback = (error: Error | null, address: string, family: number) => void;

/** A bound UDP socket, lean on the way out. */
export class UdpSocket {
  private sent = 0;
  private asksLeft = 0;
  private readonly onSent = (error: Error | null): void => {
    if (error === null) {
      if (this.asksLeft > 0) this.asksLeft--;
      return;
    }
    this.asksLeft = ASK_EVERY;
    this.onFailed(error);
  };

  private constructor(
    private readonly socket: Socket,
    private readonly onDropped: () => void,
    private readonly onFailed: (error: Error) => void,
  ) {}

  /**
   * Binds.
   * @throws {StartupError} PORT_IN_USE, BAD_ADDRESS or CANNOT_LISTEN.
   */
  static async bind(options: UdpSocketOptions): Promise<UdpSocket> {
    const { host, port } = options;
    try {
      const bind = (address: string) => UdpSocket.bindTo(options, address);
      return await (host === '' ? listenEverywhere(bind) : bind((await dns.lookup(host)).address));
    } catch (error) {
      throw listenFailure('UDP', host, port, error);
    }
  }

  private static bindTo(options: UdpSocketOptions, host: string): Promise<UdpSocket> {
    const family = isIP(host) === 6 ? 'udp6' : 'udp4';
    const socket = dgram.createSocket({ type: family, lookup: answerAtOnce });
    return new Promise((settle, fail) => {
      socket.once('error', (error) => {
        socket.close();
        fail(error);
      });
      socket.bind({ port: options.port, address: host, exclusive: true }, () => {
        socket.removeAllListeners('error');
        socket.on('error', (error) => options.log.warn({ err: error }, 'UDP socket error'));
        socket.on('message', options.onDatagram);
        growBuffers(socket, options);
        settle(new UdpSocket(socket, options.onDropped, options.onFailed));
      });
    });
  }

  get port(): number {
    return this.socket.address().port;
  }

  /** Bytes of packets that wait for the kernel. */
  get queuedBytes(): number {
    return this.socket.getSendQueueSize();
  }

  /**
   * Sends one datagram, or drops it where the kernel is far behind.
   * @returns whether the bytes may be overwritten now; false while they wait for the kernel.
   */
  send(datagram: Uint8Array, port: number, host: string): boolean {
    const queued = this.socket.getSendQueueSize();
    if (queued > MAX_QUEUED_BYTES) {
      this.onDropped();
      return true;
    }
    this.sent = (this.sent + 1) & (ASK_EVERY - 1);
    if (this.sent === 0 || this.asksLeft > 0) this.socket.send(datagram, port, host, this.onSent);
    else this.socket.send(datagram, port, host);
    return this.socket.getSendQueueSize() === queued;
  }

  /** Closes; what waits for the kernel is lost. Idempotent. */
  readonly close = memoised(
    () =>
      new Promise<void>((done) => {
        this.socket.removeAllListeners('message');
        this.socket.close(() => done());
      }),
  );
}

/** Hosts given to send are always numbers: without this dgram would spend a tick on each packet. */
function answerAtOnce(host: string, _options: unknown, callback: LookupCallback): void {
  callback(null, host, host.includes(':') ? 6 : 4);
}

/** Asks for large kernel buffers; what the kernel gives less than asked is worth a warning. */
function growBuffers(socket: Socket, options: UdpSocketOptions): void {
  const wanted = options.buffers;
  try {
    socket.setRecvBufferSize(wanted.recv);
    socket.setSendBufferSize(wanted.send);
  } catch (error) {
    options.log.warn({ err: error, wanted }, 'cannot set the buffer sizes of the UDP socket');
    return;
  }
  // Linux answers with twice of what it gives.
  const given = { recv: socket.getRecvBufferSize() / 2, send: socket.getSendBufferSize() / 2 };
  if (given.recv < wanted.recv || given.send < wanted.send) {
    options.log.warn(
      { wanted, given },
      `the kernel gives UDP buffers of ${given.recv} and ${given.send} bytes; run: sysctl -w net.core.rmem_max=${wanted.recv} net.core.wmem_max=${wanted.send}`,
    );
  }
}
