import type { Clock } from '../base/clock.js';
import { CodedError } from '../base/errors.js';
import type { TimerWheel, WheelTimer } from '../base/timer-wheel.js';
import type { Logger } from '../telemetry/log.js';
import type { QuicMetrics } from '../telemetry/quic-metrics.js';
import { MAX_SEND_DATAGRAM_BYTES } from './limits.js';
import type { TransportLimits } from './limits.js';
import type { PeerAddress } from './peer-address.js';
import type { MigrationPolicy } from './peer-address.js';
import { howItEnded } from './quic-closed.js';
import type { QuicClosed } from './quic-closed.js';
import { QuicStream } from './quic-stream.js';
import type { StreamHost } from './quic-stream.js';
import { SOLE_PATH } from './quiche.js';
import type { QuicheConnection } from './quiche.js';
import type { TurnMember, TurnScheduler } from './turn-scheduler.js';
import { WasteBudget } from './waste-budget.js';

/** What a connection tells its owner, always from within a turn. */
export interface QuicConnectionObserver {
  /** The peer opened a stream; bind an observer to it, or reset it and stop reading it. */
  onStream(stream: QuicStream): void;
  /** Exactly once, and the last call; for connections whose handshake was completed. */
  onClosed(closed: QuicClosed): void;
  /** Unreliable QUIC datagrams wait: call `readDatagram` until it returns null. */
  onDatagrams?(): void;
}

/** Sends PINGs for peers that would time out before they have something to say. */
export interface KeepalivePolicy {
  /** Silence in ms before a PING. */
  readonly silence: number;
  /** Only for peers whose idle timeout is below this, ms. */
  readonly peerIdleBelow: number;
}

/** What a connection needs of the endpoint that it belongs to. */
export interface ConnectionHost {
  readonly clock: Clock;
  readonly scheduler: TurnScheduler;
  readonly wheel: TimerWheel;
  readonly metrics: QuicMetrics;
  readonly log: Logger;
  readonly limits: TransportLimits;
  readonly migration: MigrationPolicy;
  readonly keepalive: KeepalivePolicy | null;
  readonly gatherBuffer: Buffer;
  readonly readBuffer: Buffer;
  /** Where packets are written; another one after a packet that the kernel has not taken yet. */
  readonly sendBuffer: Buffer;
  transmit(length: number, port: number, host: string): void;
  /** The handshake is done: `connection.alpn` says what is spoken. */
  established(connection: QuicConnection): void;
  /** Ids were retired or are missing. */
  replenishIds(connection: QuicConnection): void;
  /** Nothing will be sent or received any more. */
  released(connection: QuicConnection): void;
}

/** Bounds one flush, so that one fast receiver does not keep all others waiting. */
const PACKETS_PER_FLUSH = 128;

/**
 * How long the acknowledgement of a lone datagram waits for an answer to travel with, ms. With the
 * wheel's tick well below the 25 ms that we promise (RFC 9000 section 13.2.1).
 */
const ACK_DELAY_MS = 5;

/** Reading more than this in a turn is a transfer: its sender waits for our window updates. */
const PROMPT_READ_BYTES = 4_096;

/** Below this allowance no packet is tried: short header, id, number, a small frame and the tag. */
const MIN_ALLOWANCE_BYTES = 64;

/** What quiche's timer may be off from the whole idle timeout right after a packet. */
const IDLE_SLACK_MS = 100;

const INTERNAL_ERROR = 0x01;
const EXCESSIVE_LOAD = 0x0a;

/** One QUIC connection, of a server or a client. */
export class QuicConnection implements TurnMember, StreamHost {
  queued = false;
  /** What the handshake agreed on; empty before. */
  alpn = '';
  /** For the endpoint: keys of the connection table that lead here. */
  readonly idKeys: string[] = [];
  private observer: QuicConnectionObserver | null = null;
  private readonly streams: QuicStream[] = [];
  private readonly timer: WheelTimer;
  private readonly waste: WasteBudget;
  private isEstablished = false;
  private openedBidi = 0;
  private openedUni = 0;
  private turnBytes = 0;
  private turnDatagrams = 0;
  private turnRead = 0;
  private flushWanted = false;
  private unacknowledged = 0;
  private lastActivity: number;
  private handshakeEnd: number;
  private keepsAlive = false;
  private lostBeforeProbe = 0;
  private probeSent = false;
  private idleTimeout: number;
  private ending: QuicClosed | null = null;
  private ended = false;
  private isReleased = false;

  constructor(
    private readonly host: ConnectionHost,
    readonly quiche: QuicheConnection,
    readonly peer: PeerAddress,
    readonly isServer: boolean,
  ) {
    const now = host.clock.now();
    this.timer = host.wheel.timer(() => this.onTimer());
    this.waste = new WasteBudget(host.limits.connectionWindow, now);
    this.lastActivity = now;
    this.handshakeEnd = now + host.limits.handshakeTimeout;
    this.idleTimeout = host.limits.idleTimeout;
  }

  get gatherBuffer(): Buffer {
    return this.host.gatherBuffer;
  }

  get readBuffer(): Buffer {
    return this.host.readBuffer;
  }

  /** host:port of the peer; it may change (NAT rebinding, migration). */
  get remoteAddress(): string {
    return this.peer.toString();
  }

  get established(): boolean {
    return this.isEstablished;
  }

  /** Whether nothing can be sent any more. */
  get closed(): boolean {
    return this.ending !== null || this.isReleased;
  }

  /** Streams that are open in at least one direction. */
  get streamCount(): number {
    return this.streams.length;
  }

  /** Who hears of this connection. Called once, before any stream is delivered. */
  bind(observer: QuicConnectionObserver): void {
    this.observer = observer;
  }

  /** Packets, losses and the round-trip time (ms) of this connection; costs some 20 us. */
  stats(): { received: number; sent: number; lost: number; retransmitted: number; rtt: number } {
    const { recv, sent, lost, retrans } = this.quiche.stats();
    const rtt = this.quiche.pathStats()[0]?.rtt ?? 0;
    return { received: recv, sent, lost, retransmitted: retrans, rtt };
  }

  /**
   * Opens a stream; the peer hears of it with the first bytes.
   * @throws {CodedError} STREAM_LIMIT where the peer allows no more now, CLOSED after the end.
   */
  openStream(kind: 'bidi' | 'uni' = 'bidi'): QuicStream {
    if (this.closed) throw new CodedError('CLOSED', 'the QUIC connection is closed');
    const bidi = kind === 'bidi';
    const left = bidi ? this.quiche.peerStreamsLeftBidi() : this.quiche.peerStreamsLeftUni();
    if (left <= 0)
      throw new CodedError('STREAM_LIMIT', `the peer allows no further ${kind} stream`);
    const sequence = bidi ? this.openedBidi++ : this.openedUni++;
    const id = sequence * 4 + (bidi ? 0 : 2) + (this.isServer ? 1 : 0);
    const stream = new QuicStream(this, id, false);
    this.streams.push(stream);
    return stream;
  }

  /** The next unreliable datagram, or null. The bytes are the caller's. */
  readDatagram(): Uint8Array | null {
    const datagram = this.quiche.dgramRecvVec();
    if (datagram !== null) this.turnRead += datagram.length;
    return datagram;
  }

  /** Queues an unreliable datagram; false where it is too large, the queue full or datagrams off. */
  sendDatagram(datagram: Uint8Array): boolean {
    if (this.closed) return false;
    const room = this.quiche.dgramMaxWritableLen();
    if (room === null || datagram.length > room || this.quiche.isDgramSendQueueFull()) return false;
    this.quiche.dgramSend(datagram);
    this.requestFlush();
    return true;
  }

  /** Closes at once with an application code; what was not sent is lost. onClosed follows in a later turn. */
  close(code: number, reason: string): void {
    this.end(true, code, reason);
  }

  /** Closes with an error of QUIC or TLS itself (RFC 9000 section 20.1). */
  refuse(transportCode: number, reason: string): void {
    this.end(false, transportCode, reason);
  }

  /** Asks the peer for a sign of life (PING). */
  ping(): void {
    if (this.closed) return;
    this.quiche.sendAckEliciting();
    this.requestFlush();
  }

  requestFlush(): void {
    this.flushWanted = true;
    this.host.scheduler.add(this);
  }

  requestDelivery(): void {
    this.host.scheduler.add(this);
  }

  countRead(bytes: number): void {
    this.turnRead += bytes;
  }

  forget(stream: QuicStream): void {
    const index = this.streams.indexOf(stream);
    if (index !== -1) this.streams.splice(index, 1);
  }

  /** For the endpoint: a datagram for one of this connection's ids. Decrypts it in place. */
  receive(datagram: Buffer, host: string, port: number): void {
    if (this.isReleased) return;
    if (this.peer.isAt(host, port)) {
      this.peer.received(datagram.length);
      this.take(datagram);
      if (this.peer.limited) this.lookForRoundTrip();
    } else if (!this.isEstablished || this.host.migration === 'drop') {
      this.host.metrics.datagramsDropped.add('elsewhere');
    } else {
      this.receiveElsewhere(datagram, host, port);
    }
  }

  /** For the endpoint: its socket is gone. */
  abandon(): void {
    this.release();
  }

  deliver(): void {
    if (this.isReleased) return;
    if (!this.isEstablished && this.quiche.isEstablished()) this.establish();
    if (this.isEstablished && this.ending === null) {
      this.deliverStreams();
    }
    this.settleTurn();
  }

  flush(): void {
    if (this.isReleased) return;
    if (this.mayWaitForAnswer()) {
      this.timer.arm(ACK_DELAY_MS);
      return;
    }
    this.flushWanted = false;
    this.unacknowledged = 0;
    this.sendAll();
    if (this.ending === null && (this.quiche.isDraining() || this.quiche.isClosed())) {
      this.ending = howItEnded(this.quiche);
    }
    if (this.ending !== null) this.tellEnd();
    else this.wakeStreams();
    if (this.quiche.isClosed()) this.release();
    else this.rearm();
  }

  fail(error: unknown): void {
    this.host.log.error(
      { err: error, peer: this.remoteAddress },
      'closing after an internal error',
    );
    this.end(false, INTERNAL_ERROR, 'internal error');
  }

  private take(datagram: Buffer): void {
    this.turnBytes += datagram.length;
    this.turnDatagrams++;
    try {
      this.quiche.recv(datagram, SOLE_PATH.recvInfo);
    } catch (error) {
      // quiche closes the connection itself where the peer broke a rule; a failed fresh connection
      // is closed at once and would never time out.
      this.host.log.debug({ err: error, peer: this.remoteAddress }, 'bad packet');
      this.flushWanted = true;
    }
    this.host.scheduler.add(this);
  }

  /** The peer may have moved: see whether quiche accepts the packet before following it. */
  private receiveElsewhere(datagram: Buffer, host: string, port: number): void {
    const length = datagram.length;
    const accepted = this.quiche.stats().recv;
    this.take(datagram);
    const stats = this.quiche.stats();
    if (stats.recv === accepted) {
      this.host.metrics.datagramsDropped.add('elsewhere');
      return;
    }
    this.peer.moveTo(host, port, length);
    this.host.metrics.addressChanges.add();
    if (this.peer.limited) this.probe(stats.lost);
  }

  private probe(lost: number): void {
    this.lostBeforeProbe = lost;
    this.probeSent = false;
    this.quiche.sendAckEliciting();
    this.requestFlush();
  }

  /**
   * A PING went to the new address and to no other. Once nothing is in flight and nothing was lost,
   * it was acknowledged: right after a packet quiche's next timer is then the idle timer.
   */
  private lookForRoundTrip(): void {
    if (!this.probeSent) return;
    const timeout = this.quiche.timeout();
    if (timeout !== null && timeout < this.idleTimeout - IDLE_SLACK_MS) return;
    const { lost } = this.quiche.stats();
    if (lost === this.lostBeforeProbe) this.peer.proved();
    else this.probe(lost);
  }

  private establish(): void {
    this.isEstablished = true;
    this.alpn = Buffer.from(this.quiche.applicationProto()).toString('latin1');
    const { peerMaxIdleTimeout } = this.quiche.stats();
    if (peerMaxIdleTimeout > 0) {
      this.idleTimeout =
        this.idleTimeout === 0
          ? peerMaxIdleTimeout
          : Math.min(this.idleTimeout, peerMaxIdleTimeout);
    }
    if (this.idleTimeout === 0) this.idleTimeout = Infinity;
    const { keepalive } = this.host;
    this.keepsAlive = keepalive !== null && this.idleTimeout < keepalive.peerIdleBelow;
    this.flushWanted = true;
    this.host.replenishIds(this);
    this.host.established(this);
  }

  private deliverStreams(): void {
    const several = this.streams.length > 1;
    for (let index = 0; index < this.streams.length; index++) {
      const stream = this.streams[index] as QuicStream;
      if (several && !stream.wantsDelivery && !this.quiche.streamReadable(stream.id)) continue;
      stream.deliver();
      // A stream that ended took itself out of the list.
      if (this.streams[index] !== stream) index--;
    }
    if (this.quiche.isReadable()) this.acceptStreams();
    if (this.host.limits.datagramQueue > 0 && this.quiche.dgramRecvQueueLen() > 0) {
      this.observer?.onDatagrams?.();
    }
  }

  private acceptStreams(): void {
    const openedByPeer = this.isServer ? 0 : 1;
    for (const id of this.quiche.readable()) {
      if ((id & 1) !== openedByPeer || this.streams.some((stream) => stream.id === id)) continue;
      const stream = new QuicStream(this, id, true);
      this.streams.push(stream);
      this.observer?.onStream(stream);
      stream.deliver();
    }
  }

  /** Accounts for what was received in this turn. */
  private settleTurn(): void {
    const { turnBytes, turnRead } = this;
    if (turnBytes === 0 && turnRead === 0) return;
    const now = this.host.clock.now();
    this.unacknowledged += this.turnDatagrams;
    this.turnBytes = this.turnRead = 0;
    this.lastActivity = now;
    // Bare acknowledgements want nothing back but may free what waits: look at once.
    if (turnRead === 0 || turnRead > PROMPT_READ_BYTES || !this.isEstablished) {
      this.flushWanted = true;
      if (turnRead === 0 && this.isEstablished) this.host.replenishIds(this);
    }
    const stayed = this.waste.charge(turnBytes, this.turnDatagrams, turnRead, now);
    this.turnDatagrams = 0;
    if (stayed || this.ending !== null) return;
    if (this.waste.forgive(this.quiche.stats().recv)) return;
    this.host.metrics.ended.add('waste');
    this.end(false, EXCESSIVE_LOAD, 'too many bytes that bring nothing');
  }

  /** A lone datagram's acknowledgement waits a little for the answer that it travels with. */
  private mayWaitForAnswer(): boolean {
    return !this.flushWanted && this.unacknowledged < 2 && this.ending === null;
  }

  private sendAll(): void {
    let sent = 0;
    for (let round = 0; round < 2; round++) {
      for (let index = this.streams.length - 1; index >= 0; index--) {
        const stream = this.streams[index] as QuicStream;
        if (stream.wantsToSend) stream.writeOut();
      }
      const before = sent;
      sent += this.sendPackets();
      // Sending makes room in the congestion window's share of the streams; once more fills it.
      if (sent === before || !this.streams.some((stream) => stream.wantsToSend)) break;
    }
    if (sent > 0) this.lastActivity = this.host.clock.now();
  }

  private sendPackets(): number {
    const { host, peer } = this;
    for (let count = 0; count < PACKETS_PER_FLUSH; count++) {
      const buffer = host.sendBuffer;
      const allowance = peer.allowance;
      if (allowance < MIN_ALLOWANCE_BYTES) return count;
      const room = allowance < MAX_SEND_DATAGRAM_BYTES ? buffer.subarray(0, allowance) : buffer;
      const length = this.nextPacket(room);
      if (length === 0) return count;
      host.transmit(length, peer.port, peer.host);
      peer.sent(length);
      this.probeSent = true;
      this.waste.sent(length);
    }
    this.requestFlush();
    return PACKETS_PER_FLUSH;
  }

  private nextPacket(buffer: Buffer): number {
    try {
      return this.quiche.send(buffer)?.[0] ?? 0;
    } catch (error) {
      this.host.log.debug({ err: error, peer: this.remoteAddress }, 'no packet could be made');
      return 0;
    }
  }

  private wakeStreams(): void {
    for (let index = this.streams.length - 1; index >= 0; index--) {
      this.streams[index]?.wake();
    }
  }

  private onTimer(): void {
    if (this.isReleased) return;
    this.quiche.onTimeout();
    const now = this.host.clock.now();
    if (!this.isEstablished && now >= this.handshakeEnd) {
      this.end(false, INTERNAL_ERROR, 'the handshake takes too long');
    }
    const { keepalive } = this.host;
    if (this.keepsAlive && keepalive !== null && now - this.lastActivity >= keepalive.silence) {
      this.host.metrics.keepalives.add();
      this.ping();
    }
    this.requestFlush();
  }

  private rearm(): void {
    const timeout = this.quiche.timeout();
    // quiche counts in whole ms, rounded down.
    let delay = timeout === null ? Infinity : timeout + 1;
    if (!this.isEstablished) {
      delay = Math.min(delay, this.handshakeEnd - this.host.clock.now());
    } else if (this.keepsAlive && this.host.keepalive !== null) {
      const due = this.lastActivity + this.host.keepalive.silence;
      delay = Math.min(delay, due - this.host.clock.now());
    }
    if (delay !== Infinity) this.timer.arm(Math.max(1, delay));
  }

  private end(application: boolean, code: number, reason: string): void {
    if (this.closed) return;
    // A reason longer than this could push the close out of the packet.
    const bytes = Buffer.from(reason).subarray(0, 256);
    this.quiche.close(application, code, bytes);
    this.ending = { application, code, reason, by: 'local' };
    this.requestFlush();
  }

  private tellEnd(): void {
    if (this.ended || this.ending === null) return;
    this.ended = true;
    this.streams.length = 0;
    const cause = this.isEstablished ? this.ending.by : 'handshake';
    this.host.metrics.ended.add(cause);
    this.observer?.onClosed(this.ending);
    this.observer = null;
  }

  private release(): void {
    if (this.isReleased) return;
    this.ending ??= howItEnded(this.quiche);
    this.tellEnd();
    this.isReleased = true;
    this.timer.disarm();
    this.host.released(this);
  }
}
