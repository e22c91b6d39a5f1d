import type { ConnectionHost } from './connection-host.js';
import { MAX_SEND_DATAGRAM_BYTES } from './limits.js';
import type { PeerAddress } from './peer-address.js';
import type { QuicheConnection } from './quiche.js';
import type { WasteBudget } from './waste-budget.js';

/** Bounds one flush, so that one fast receiver does not keep all others waiting. */
const PACKETS_PER_FLUSH = 128;

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

  constructor(
    private readonly host: ConnectionHost,
    private readonly quiche: QuicheConnection,
    private readonly peer: PeerAddress,
    private readonly waste: WasteBudget,
  ) {}

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
      const { allowance } = peer;
      if (allowance < MIN_ALLOWANCE_BYTES) return true;
      const room = allowance < MAX_SEND_DATAGRAM_BYTES ? buffer.subarray(0, allowance) : buffer;
      const length = this.nextPacket(room);
      if (length === 0) return true;
      host.transmit(length, peer.port, peer.host);
      peer.sent(length);
      this.waste.sent(length);
      this.sent++;
    }
    return false;
  }

  private nextPacket(room: Buffer): number {
    try {
      return this.quiche.send(room)?.[0] ?? 0;
    } catch (error) {
      this.host.log.debug({ err: error, peer: `${this.peer}` }, 'no packet could be made');
      return 0;
    }
  }
}
