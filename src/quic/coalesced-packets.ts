import { QUIC_V1, isShortHeader } from './packet-header.js';
import { SOLE_PATH } from './quiche.js';
import type { QuicheConnection } from './quiche.js';

/** Types of long-header packets: those that only who has heard the server can make, and those of unknown length. */
const HANDSHAKE = 2;
const RETRY = 3;

/** Nobody has more to say at once than Initial, 0-RTT, Handshake and 1-RTT; crumbs would cost a call each. */
const MAX_PACKETS = 8;

/**
 * Gives quiche the packets of a datagram one by one (RFC 9000 section 12.2). By itself it throws away all that
 * follows a packet that it has no keys for, and that is where a client's CONNECTION_CLOSE stands when it leaves
 * within a round trip of its handshake: behind a Handshake packet, whose keys a server drops first.
 * @throws what quiche throws at the first packet that it refuses.
 */
export function receivePackets(quiche: Pick<QuicheConnection, 'recv'>, datagram: Buffer): void {
  let rest = datagram;
  for (let count = 1; ; count++) {
    const length = count < MAX_PACKETS ? firstPacketLength(rest) : rest.length;
    if (length === rest.length) {
      quiche.recv(rest, SOLE_PATH.recvInfo);
      return;
    }
    quiche.recv(rest.subarray(0, length), SOLE_PATH.recvInfo);
    rest = rest.subarray(length);
  }
}

/** Whether a datagram, not empty, begins with a Handshake packet. */
export function isHandshakePacket(datagram: Uint8Array): boolean {
  return !isShortHeader(datagram) && (((datagram[0] as number) >> 4) & 3) === HANDSHAKE;
}

/** Length of the packet that a datagram, not empty, begins with: all of it where it does not tell. */
export function firstPacketLength(datagram: Buffer): number {
  const whole = datagram.length;
  if (isShortHeader(datagram) || whole < 7 || datagram.readUInt32BE(1) !== QUIC_V1) return whole;
  const type = ((datagram[0] as number) >> 4) & 3;
  if (type === RETRY) return whole;
  const dcidEnd = 6 + (datagram[5] as number);
  let at = dcidEnd + 1 + (datagram[dcidEnd] ?? 0);
  if (type === 0) {
    const token = readLength(datagram, at);
    if (token === null) return whole;
    at = token.end + token.value;
  }
  const payload = readLength(datagram, at);
  return payload === null ? whole : Math.min(whole, payload.end + payload.value);
}

/** A variable-length integer (RFC 9000 section 16) that may be the length of something in a datagram. */
function readLength(datagram: Buffer, at: number): { value: number; end: number } | null {
  const first = datagram[at];
  if (first === undefined) return null;
  const end = at + (1 << (first >> 6));
  // One of 8 bytes could only announce more than a datagram holds.
  if (first >= 0xc0 || end > datagram.length) return null;
  let value = first & 0x3f;
  for (const byte of datagram.subarray(at + 1, end)) value = value * 256 + byte;
  return { value, end };
}
