import type { ConnectionHost } from './connection-host.js';
import { MAX_SEND_DATAGRAM_BYTES, SAFE_DATAGRAM_BYTES } from './limits.js';
import type { PeerAddress } from './peer-address.js';
import type { QuicheConnection } from './quiche.js';
import type { WasteBudget } from './waste-budget.js';

/** Bounds one flush, so that one fast receiver does not keep all others waiting. */
const PACKETS_PER_FLUSH = 128;

/**
 * Timeouts, with nothing in between that shows that all was answered, after which the path is taken for one that
 * drops large datagrams without a word (RFC 9000 section 14.2). Where it is not, large transfers cost some 12 %
 * more packets, and small frames nothing.
 */
const MAX_TIMEOUTS = 2;

/** Failures in a row after which no packet of the connection will ever leave. */
const MAX_FAILURES = 2;

/**
 * Below this allowance no packet is tried. Small, for a PING of 31 bytes that was answered with a bare
 * acknowledgement must leave room for a probe: with the congestion window full of packets that went
 * to the old address, nothing but the probe of a timer gets through.
 */
const MIN_ALLOWANCE_BYTES = 40;

/** Takes packets out of quiche and sends them to where the peer is. */
export class PacketSender {
  /** Packets sent since the connection began. */
  sent = 0;
  private failures = 0;
  private timeouts = 0;
  /** Packets lost until the last timeout, or until what was heard last. */
  private lost = 0;
  /** Bytes of the largest datagram. */
  private largest = MAX_SEND_DATAGRAM_BYTES;
  private closing = false;
  /** What closed the connection. */
  private closePacket: Buffer | null = null;
  private sinceClosed = 0;

  constructor(
    private readonly host: ConnectionHost,
    private readonly quiche: QuicheConnection,
    private readonly peer: PeerAddress,
    private readonly waste: WasteBudget,
  ) {}

  /** Whether packets cannot be made any more: the connection would be mute until its idle timeout. */
  get broken(): boolean {
    return this.failures >= MAX_FAILURES;
  }

  /** A timer of quiche fired: what was sent is not acknowledged. */
  timedOut(): void {
    if (this.largest === SAFE_DATAGRAM_BYTES) return;
    if (++this.timeouts >= MAX_TIMEOUTS) this.largest = SAFE_DATAGRAM_BYTES;
    else this.lost = this.quiche.stats().lost;
  }

  /** Whether `allAnswered` is worth finding out. */
  get doubtsPath(): boolean {
    return this.timeouts > 0 && this.largest !== SAFE_DATAGRAM_BYTES;
  }

  /**
   * Nothing is in flight. Where nothing was lost either, the path took what we sent. A datagram of the peer alone
   * does not say so: who repeats itself, or speaks all the while, would hide that nothing large arrives.
   */
  allAnswered(): void {
    const { lost } = this.quiche.stats();
    if (lost === this.lost) this.timeouts = 0;
    else this.lost = lost;
  }

  /** The connection is being closed from here: what leaves from now on says so, and is kept. */
  closes(): void {
    this.closing = true;
  }

  /**
   * To be called for every datagram that comes. Once the close has left, whoever goes on sending has not
   * heard it: it is repeated as it was (RFC 9000 section 10.2.1), for the 1st, 2nd, 4th, 8th... datagram,
   * as quiche would not.
   * @returns whether the connection is closed, and the datagram of no use.
   */
  repeatClose(host: string, port: number): boolean {
    const { closePacket, peer } = this;
    if (closePacket === null) return false;
    const count = ++this.sinceClosed;
    const due = (count & (count - 1)) === 0 && closePacket.length <= peer.allowance;
    if (!due || !peer.isAt(host, port)) return true;
    closePacket.copy(this.host.sendBuffer);
    this.host.transmit(closePacket.length, port, host);
    peer.sent(closePacket.length);
    return true;
  }

  /** Sends what quiche has ready; false where more is left for another turn. */
  sendReady(): boolean {
    const { sent } = this;
    const done = this.sendFlight();
    if (this.sent !== sent) this.peer.flightSent();
    return done;
  }

  private sendFlight(): boolean {
    const { host, peer } = this;
    for (let count = 0; count < PACKETS_PER_FLUSH; count++) {
      const buffer = host.sendBuffer;
      const most = Math.min(peer.allowance, this.largest);
      if (most < MIN_ALLOWANCE_BYTES) return true;
      const room = most < MAX_SEND_DATAGRAM_BYTES ? buffer.subarray(0, most) : buffer;
      const length = this.nextPacket(room);
      if (length === 0) return true;
      if (this.closing) this.closePacket = Buffer.from(buffer.subarray(0, length));
      host.transmit(length, peer.port, peer.host);
      peer.sent(length);
      this.waste.sent(length);
      this.sent++;
    }
    return false;
  }

  private nextPacket(room: Buffer): number {
    try {
      const length = this.quiche.send(room)?.[0] ?? 0;
      this.failures = 0;
      return length;
    } catch (error) {
      // Little room, for an address that is not proved yet, may be too little.
      if (room.length >= SAFE_DATAGRAM_BYTES) this.failures++;
      this.host.sendErrors.note(error, 'a QUIC packet could not be made');
      return 0;
    }
  }
}
