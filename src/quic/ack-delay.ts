/**
 * How long an acknowledgement waits for an answer to travel with, ms. With the wheel's tick below the 25 ms that
 * peers are told at least (RFC 9000 section 13.2.1).
 */
export const ACK_DELAY_MS = 10;

/**
 * Bytes of datagrams, where there are several, that are acknowledged at once. RFC 9000 section 13.2.2 wants every
 * second packet acknowledged, because the sender's congestion window may wait for that; the window counts bytes,
 * and is never smaller than two full packets. Requests, ACKs and heartbeats are small and come one by one.
 */
export const UNACKNOWLEDGED_BYTES = 1_200;

/** What we tell of ourselves while few are connected, ms: the default of RFC 9000 section 18.2. */
const LEAST_MS = 25;

/** Connections that add one ms. */
const CONNECTIONS_PER_MS = 100;

/** Four probes, each after twice the time of the one before, still fit into an idle timeout of 30 s. */
const MOST_MS = 1_000;

/**
 * What a client is told of how late its packets may be acknowledged (max_ack_delay, RFC 9000 section 18.2: with
 * the delays that are to be expected in our timers). It waits for a round trip and this long before it sends
 * again what was not acknowledged. The more connections share this process, the longer it may take to read
 * what all of them sent at once, or after a pause of garbage collection; those who ask again after 30 ms make
 * that longer still, until nobody is heard any more (docs/PERFORMANCE-NOTES.md). The price is
 * paid where a client's last packet is lost: it is sent again that much later.
 * @param connections that are open.
 * @returns ms.
 */
export function announcedAckDelay(connections: number): number {
  return Math.min(LEAST_MS + Math.floor(connections / CONNECTIONS_PER_MS), MOST_MS);
}

/** What came on one connection since something last left, with which it was acknowledged. */
export class Unacknowledged {
  private datagrams = 0;
  private bytes = 0;

  /** Whether it is so little that its acknowledgement may wait for ACK_DELAY_MS. */
  get isLittle(): boolean {
    return this.datagrams <= 1 || this.bytes <= UNACKNOWLEDGED_BYTES;
  }

  /** @param bytes of all these datagrams, headers included. */
  received(datagrams: number, bytes: number): void {
    this.datagrams += datagrams;
    this.bytes += bytes;
  }

  acknowledged(): void {
    this.datagrams = this.bytes = 0;
  }
}
