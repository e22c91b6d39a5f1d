import { isHandshakePacket, receivePackets } from './coalesced-packets.js';
import type { ConnectionHost } from './connection-host.js';
import { MAX_SEND_DATAGRAM_BYTES } from './limits.js';
import type { PeerAddress } from './peer-address.js';
import type { QuicheConnection } from './quiche.js';

/** What quiche's timer may be off from the whole idle timeout right after a packet, ms. */
const IDLE_SLACK_MS = 100;

/** After so long without an answer from a new address it is asked again, ms: a long round trip. */
export const ASK_AGAIN_MS = 250;

/**
 * Decides when a connection follows its peer to another address (RFC 9000 section 9), although
 * quiche knows one path only (see SOLE_PATH).
 */
export class AddressPolicy {
  private idleTimeout = Infinity;
  private packetsLost = 0;
  private packetsSent = 0;

  constructor(
    private readonly host: ConnectionHost,
    private readonly quiche: QuicheConnection,
    private readonly peer: PeerAddress,
  ) {}

  /**
   * Gives quiche a datagram. In the middle of a handshake that has come to its limit, that of a long certificate
   * chain for one, its first Handshake packet shows that the client has heard us (RFC 9000 section 8.1). Others
   * are proved by the end of their handshake: looking costs two calls of some 20 us.
   * @param isHere whether it came from the address in use.
   * @throws what quiche throws at the first packet that it refuses.
   */
  receive(datagram: Buffer, isHere: boolean): void {
    const { peer } = this;
    const looks = isHere && !peer.settled && peer.allowance < MAX_SEND_DATAGRAM_BYTES;
    receivePackets(looks ? this.looking() : this.quiche, datagram);
  }

  /** Packets that quiche has accepted: decrypted, and not seen before. */
  accepted(): number {
    return this.quiche.stats().recv;
  }

  /**
   * The handshake is done.
   * @param idleTimeout effective one of the connection, ms.
   * @param packetsSent by the connection until now.
   */
  established(idleTimeout: number, packetsSent: number): void {
    this.idleTimeout = idleTimeout;
    this.peer.settle();
    if (this.peer.limited) this.probe(this.quiche.stats().lost, packetsSent);
  }

  /**
   * After a datagram from another address was given to quiche: follow, if it was genuine. In the middle of
   * the handshake too, or its client would wait until it gives up; a round trip is asked for at its end.
   * @param acceptedBefore what `accepted` said before that.
   * @param packetsSent by the connection until now.
   * @returns whether something is to be sent now.
   */
  consider(
    host: string,
    port: number,
    bytes: number,
    acceptedBefore: number,
    packetsSent: number,
  ): boolean {
    const { recv, lost } = this.quiche.stats();
    if (recv === acceptedBefore) {
      this.host.metrics.datagramsDropped.add('elsewhere');
      return false;
    }
    if (this.quiche.isEstablished()) this.peer.settle();
    this.peer.moveTo(host, port, bytes);
    this.host.metrics.addressChanges.add();
    if (this.peer.limited && this.peer.settled) this.probe(lost, packetsSent);
    return true;
  }

  /**
   * Right after a datagram from a new address: a PING went there and nowhere else. Once nothing is in
   * flight and nothing was lost it was acknowledged.
   * @returns whether something is to be sent now.
   */
  lookForRoundTrip(packetsSent: number): boolean {
    if (packetsSent === this.packetsSent || !this.peer.settled) return false;
    if (!this.nothingInFlight()) return false;
    const { lost } = this.quiche.stats();
    if (lost !== this.packetsLost) {
      this.probe(lost, packetsSent);
      return true;
    }
    this.peer.proved();
    return false;
  }

  /**
   * To be asked right after a datagram came: whether nothing that was sent waits for its acknowledgement. quiche's
   * next timer is then the idle timer. False throughout the handshake.
   */
  nothingInFlight(): boolean {
    const timeout = this.quiche.timeout();
    return timeout === null || timeout >= this.idleTimeout - IDLE_SLACK_MS;
  }

  /**
   * A flight to a new address was not answered in time: the next one goes, with a PING in any case.
   * quiche's own timers follow round-trip times that were taken while the peer was at neither address,
   * and may be many seconds away.
   */
  probeAgain(): void {
    this.peer.letGo();
    this.quiche.sendAckEliciting();
  }

  /** Gives quiche packets, and sees which of them prove the address of a handshake. */
  private looking(): Pick<QuicheConnection, 'recv'> {
    return {
      recv: (packet, info) => {
        const before = this.accepted();
        const length = this.quiche.recv(packet, info);
        if (isHandshakePacket(packet) && this.accepted() > before) this.peer.proved();
        return length;
      },
    };
  }

  private probe(lost: number, packetsSent: number): void {
    this.packetsLost = lost;
    this.packetsSent = packetsSent;
    this.peer.letGo();
    this.quiche.sendAckEliciting();
  }
}
