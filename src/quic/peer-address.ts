import { formatAddress } from '../base/address.js';

/** An unproved address gets at most this many times what came from it (RFC 9000 section 8). */
const AMPLIFICATION = 3;

/** follow: a connection moves with its client; drop: datagrams from elsewhere are ignored. */
export type MigrationPolicy = 'follow' | 'drop';

/**
 * Where the peer of one connection is. quiche is told of one path only (see SOLE_PATH), so following
 * a peer whose address changed is done here, by RFC 9000 sections 8.2 and 9.3 as far as one path
 * allows: move when a packet from the new address was accepted, limit what is sent there until a
 * round trip over it was seen, go back when the old address speaks again. A client's first address is limited in
 * the same way until the client has shown that it hears us: quiche does so too, but leaves out of account the
 * padding of its Initials.
 */
export class PeerAddress {
  private provedHost: string;
  private provedPort: number;
  private credit = 0;
  private proving: boolean;
  private waiting = false;
  private isSettled = false;

  /** @param heard whether the peer is known to receive at this address: a server's client after a Retry. */
  constructor(
    public host: string,
    public port: number,
    heard = true,
  ) {
    this.proving = !heard;
    this.provedHost = host;
    this.provedPort = port;
  }

  /** Whether the address in use is limited because no round trip over it was seen yet. */
  get limited(): boolean {
    return this.proving;
  }

  /** Whether the handshake is done. */
  get settled(): boolean {
    return this.isSettled;
  }

  /** Bytes that may be sent now. */
  get allowance(): number {
    if (!this.proving) return Infinity;
    return this.waiting ? 0 : this.credit;
  }

  /**
   * A flight went to a limited address: nothing more until it was answered or a timer fired, for the
   * answer is recognised by nothing being in flight any more. Those of a handshake answer each other.
   */
  flightSent(): void {
    this.waiting = this.proving && this.isSettled;
  }

  /** The handshake is done: where the peer never moved, it has heard us there. */
  settle(): void {
    if (this.isSettled) return;
    this.isSettled = true;
    if (this.isAt(this.provedHost, this.provedPort)) this.proving = false;
  }

  /** Whether a flight to a limited address has no answer yet. */
  get awaitsAnswer(): boolean {
    return this.waiting;
  }

  /** The flight may be answered no more: the next one may go. */
  letGo(): void {
    this.waiting = false;
  }

  isAt(host: string, port: number): boolean {
    return port === this.port && host === this.host;
  }

  /** An accepted packet of `bytes` came from another address: use that one. */
  moveTo(host: string, port: number, bytes: number): void {
    // Nobody was heard from there but with what everyone can make: it may be anybody's address.
    if (!this.isSettled) this.provedHost = '';
    this.host = host;
    this.port = port;
    this.proving = !(port === this.provedPort && host === this.provedHost);
    this.credit = bytes * AMPLIFICATION;
    this.waiting = false;
  }

  /** Any datagram from the address in use. */
  received(bytes: number): void {
    if (this.proving) this.credit += bytes * AMPLIFICATION;
  }

  sent(bytes: number): void {
    if (this.proving) this.credit -= bytes;
  }

  /** A round trip over the address in use was seen. */
  proved(): void {
    this.proving = false;
    this.provedHost = this.host;
    this.provedPort = this.port;
  }

  /** host:port for people and logs; IPv4 addresses that came over an IPv6 socket look like IPv4. */
  toString(): string {
    const host = this.host.startsWith('::ffff:') ? this.host.slice(7) : this.host;
    return formatAddress(host, this.port);
  }
}
