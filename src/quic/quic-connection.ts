import { CodedError } from '../base/errors.js';
import { textWithin } from '../base/text-within.js';
import { ACK_DELAY_MS, Unacknowledged } from './ack-delay.js';
import { ASK_AGAIN_MS, AddressPolicy } from './address-policy.js';
import type { ConnectionHost } from './connection-host.js';
import type { QuicConnectionObserver } from './connection-observer.js';
import { ConnectionTimer } from './connection-timer.js';
import { PacketSender } from './packet-sender.js';
import type { PeerAddress } from './peer-address.js';
import { howItEnded } from './quic-closed.js';
import type { QuicClosed } from './quic-closed.js';
import type { QuicStream, StreamHost } from './quic-stream.js';
import type { QuicheConnection } from './quiche.js';
import { StreamSet } from './stream-set.js';
import type { TurnMember } from './turn-scheduler.js';
import { WasteBudget } from './waste-budget.js';

/** The endpoint that a connection belongs to. */
export interface ConnectionOwner extends ConnectionHost {
  /** The handshake is done: `connection.alpn` says what is spoken. */
  established(connection: QuicConnection): void;
  /** Ids were retired or are missing. */
  replenishIds(connection: QuicConnection): void;
  /** A client's connection sent something. */
  spoke(connection: QuicConnection): void;
  /** A datagram came for a client's connection. */
  heard(connection: QuicConnection): void;
  /** Nothing will be sent or received any more. */
  released(connection: QuicConnection): void;
}

/** Reading more than this in a turn is a transfer: its sender waits for our window updates. */
const PROMPT_READ_BYTES = 4_096;

/** The reason of a connection whose handshake was not done in time. */
export const HANDSHAKE_TIMEOUT = 'the handshake takes too long';

const INTERNAL_ERROR = 0x01;
const EXCESSIVE_LOAD = 0x0a;

/** One QUIC connection, of a server or a client. */
export class QuicConnection implements TurnMember, StreamHost {
  deliverQueued = false;
  flushQueued = false;
  /** What the handshake agreed on; empty before. */
  alpn = '';
  /** For the endpoint: keys of the connection table that lead here. */
  readonly idKeys: string[] = [];
  /** For the endpoint: ids that the peer holds when it has as many as it wants. */
  idsIssued = 0;
  private observer: QuicConnectionObserver | null = null;
  private readonly streams: StreamSet;
  private readonly onStream = (stream: QuicStream): void => this.observer?.onStream(stream);
  private readonly timer: ConnectionTimer;
  private readonly waste: WasteBudget;
  private readonly sender: PacketSender;
  private readonly addresses: AddressPolicy;
  private readonly unacknowledged = new Unacknowledged();
  private isEstablished = false;
  private turnBytes = 0;
  private turnDatagrams = 0;
  private turnRead = 0;
  private flushWanted = false;
  private ending: QuicClosed | null = null;
  private ended = false;
  private isReleased = false;

  constructor(
    private readonly host: ConnectionOwner,
    readonly quiche: QuicheConnection,
    readonly peer: PeerAddress,
    readonly isServer: boolean,
  ) {
    this.streams = new StreamSet(this, isServer);
    this.timer = new ConnectionTimer(host, quiche, () => this.requestFlush());
    const { connectionWindow, maxConnectionWindow } = host.limits;
    this.waste = new WasteBudget(connectionWindow, maxConnectionWindow, host.clock.now());
    this.sender = new PacketSender(host, quiche, peer, this.waste);
    this.addresses = new AddressPolicy(host, quiche, peer);
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
    return this.streams.size;
  }

  /** Who hears of this connection. Called once, before any stream is delivered. */
  bind(observer: QuicConnectionObserver): void {
    this.observer = observer;
  }

  /** Packets, losses and the round-trip time (ms) of this connection; costs some 20 us. */
  stats(): { received: number; sent: number; lost: number; rtt: number } {
    const { recv, sent, lost } = this.quiche.stats();
    const rtt = this.quiche.pathStats()[0]?.rtt ?? 0;
    return { received: recv, sent, lost, rtt };
  }

  /**
   * Opens a stream; the peer hears of it with the first bytes.
   * @throws {CodedError} STREAM_LIMIT where the peer allows no more now, CLOSED after the end.
   */
  openStream(kind: 'bidi' | 'uni' = 'bidi'): QuicStream {
    if (this.closed) throw new CodedError('CLOSED', 'the QUIC connection is closed');
    return this.streams.open(kind);
  }

  /** The next unreliable datagram, or null. The bytes are the caller's; waste unless it says `countRead`. */
  readDatagram(): Uint8Array | null {
    return this.quiche.dgramRecvVec();
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
    this.host.scheduler.addSender(this);
  }

  requestDelivery(): void {
    this.host.scheduler.addReceiver(this);
  }

  countRead(bytes: number): void {
    this.turnRead += bytes;
  }

  forget(stream: QuicStream): void {
    this.streams.remove(stream);
  }

  /** For the endpoint: a datagram for one of this connection's ids. Decrypts it in place. */
  receive(datagram: Buffer, host: string, port: number): void {
    if (this.isReleased || this.sender.repeatClose(host, port)) return;
    if (!this.isServer) this.host.heard(this);
    if (this.peer.isAt(host, port)) {
      this.peer.received(datagram.length);
      this.take(datagram, true);
      if (this.peer.limited && this.addresses.lookForRoundTrip(this.sender.sent)) {
        this.requestFlush();
      }
    } else if (this.host.migration === 'drop' || !(this.isEstablished || this.isServer)) {
      this.host.metrics.datagramsDropped.add('elsewhere');
    } else {
      const accepted = this.addresses.accepted();
      this.take(datagram, false);
      const { length } = datagram;
      if (this.addresses.consider(host, port, length, accepted, this.sender.sent))
        this.requestFlush();
    }
  }

  deliver(): void {
    if (this.isReleased) return;
    if (!this.isEstablished && this.quiche.isEstablished()) this.establish();
    if (this.isEstablished && this.ending === null) {
      this.streams.deliver(this.onStream);
      const wanted = this.host.limits.datagramQueue > 0 && this.observer?.onDatagrams !== undefined;
      if (wanted && this.quiche.dgramRecvQueueLen() > 0) this.observer?.onDatagrams?.();
    }
    this.settleTurn();
  }

  flush(): void {
    if (this.isReleased) return;
    // Resumed while this turn delivered, when it was in the turn already.
    if (this.streams.wantsDelivery()) this.requestDelivery();
    if (this.timer.isDue) this.expire();
    if (this.mayWaitForAnswer()) {
      this.timer.within(ACK_DELAY_MS);
      return;
    }
    this.flushWanted = false;
    this.unacknowledged.acknowledged();
    this.sendAll();
    if (this.ending === null && (this.quiche.isDraining() || this.quiche.isClosed())) {
      this.ending = howItEnded(this.quiche);
    }
    if (this.ending !== null) this.tellEnd();
    else this.streams.wake();
    if (this.quiche.isClosed() || this.sender.broken) this.release();
    else this.timer.rearm(this.peer.awaitsAnswer ? ASK_AGAIN_MS : Infinity);
  }

  fail(error: unknown): void {
    this.host.log.error({ err: error, peer: this.remoteAddress }, 'closed by an internal error');
    this.end(false, INTERNAL_ERROR, 'internal error');
  }

  private take(datagram: Buffer, isHere: boolean): void {
    this.turnBytes += datagram.length;
    this.turnDatagrams++;
    try {
      this.addresses.receive(datagram, isHere);
    } catch (error) {
      // quiche closes the connection itself where the peer broke a rule; a failed fresh connection
      // is closed at once and would never time out.
      this.host.log.debug({ err: error, peer: this.remoteAddress }, 'bad packet');
      if (this.quiche.localError() !== null) this.sender.closes();
      this.flushWanted = true;
    }
    this.host.scheduler.addReceiver(this);
  }

  private establish(): void {
    this.isEstablished = true;
    this.alpn = Buffer.from(this.quiche.applicationProto()).toString('latin1');
    const { peerMaxIdleTimeout } = this.quiche.stats();
    const idleTimeout = this.timer.established(peerMaxIdleTimeout);
    this.addresses.established(idleTimeout, this.sender.sent);
    this.flushWanted = true;
    this.host.replenishIds(this);
    this.host.established(this);
  }

  /** Accounts for what was received in this turn. */
  private settleTurn(): void {
    const { turnBytes, turnRead, turnDatagrams } = this;
    if (turnBytes === 0 && turnRead === 0) return;
    const now = this.host.clock.now();
    this.unacknowledged.received(turnDatagrams, turnBytes);
    this.turnBytes = this.turnRead = this.turnDatagrams = 0;
    this.timer.lastActivity = now;
    // Bare acknowledgements want nothing back but may free what waits: look at once.
    const answerNow = turnRead === 0 || turnRead > PROMPT_READ_BYTES || !this.isEstablished;
    if (answerNow) this.flushWanted = true;
    if (this.sender.doubtsPath && this.addresses.nothingInFlight()) this.sender.allAnswered();
    if (this.isEstablished) this.host.replenishIds(this);
    if (this.waste.charge(turnBytes, turnDatagrams, turnRead, now) || this.ending !== null) return;
    if (this.waste.forgive(this.quiche.stats().recv)) return;
    this.host.metrics.rejected.add('waste');
    this.end(false, EXCESSIVE_LOAD, 'too many bytes that bring nothing');
  }

  /** The acknowledgement of little waits a while for the answer that it travels with. */
  private mayWaitForAnswer(): boolean {
    if (this.flushWanted || !this.unacknowledged.isLittle || this.ending !== null) return false;
    return !this.host.scheduler.behind && !this.streams.wantsToSend();
  }

  private sendAll(): void {
    const { sender } = this;
    const before = sender.sent;
    for (let round = 0; round < 2; round++) {
      this.streams.writeOut();
      if (!sender.sendReady()) this.requestFlush();
      // Sending makes room in the congestion window's share of the streams; once more fills it.
      if (sender.sent === before || !this.streams.wantsToSend()) break;
    }
    if (sender.sent === before) return;
    this.timer.lastActivity = this.host.clock.now();
    if (!this.isServer) this.host.spoke(this);
  }

  private expire(): void {
    if (this.peer.awaitsAnswer) this.addresses.probeAgain();
    if (this.quiche.timeout() === 0) this.sender.timedOut();
    const due = this.timer.expire();
    if (due === 'handshake-timeout') this.end(false, INTERNAL_ERROR, HANDSHAKE_TIMEOUT);
    else if (due === 'keepalive') this.keepAlive();
  }

  private keepAlive(): void {
    this.host.metrics.keepalives.add();
    this.ping();
  }

  private end(application: boolean, code: number, reason: string): void {
    if (this.closed) return;
    // A reason longer than this could push the close out of the packet.
    this.quiche.close(application, code, Buffer.from(textWithin(reason, 256)));
    this.sender.closes();
    this.ending = { application, code, reason, by: 'local' };
    this.requestFlush();
  }

  private tellEnd(): void {
    if (this.ended || this.ending === null) return;
    this.ended = true;
    this.streams.clear();
    const cause = this.isEstablished ? this.ending.by : 'handshake';
    this.host.metrics.ended.add(cause);
    this.observer?.onClosed(this.ending);
    this.observer = null;
  }

  /** For the endpoint, too: when its socket is gone. */
  release(): void {
    if (this.isReleased) return;
    this.ending ??= howItEnded(this.quiche);
    this.tellEnd();
    this.isReleased = true;
    this.timer.stop();
    this.host.released(this);
  }
}
