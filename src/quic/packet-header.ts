/** The kinds of packets that the server treats differently before it has a connection. */
export type LongPacketKind = 'initial' | 'zero-rtt' | 'handshake' | 'retry' | 'negotiation';

/**
 * What RFC 8999 says about every long-header packet, plus the token of a version 1 Initial.
 * The arrays are views of the datagram.
 */
export interface LongHeader {
  readonly version: number;
  readonly kind: LongPacketKind;
  readonly dcid: Uint8Array;
  readonly scid: Uint8Array;
  /** Empty for everything but an Initial that carries one. */
  readonly token: Uint8Array;
}

/** QUIC version 1, the only one that is spoken here. */
export const QUIC_V1 = 1;

/** Version 1 limits connection ids to 20 bytes (RFC 9000 section 17.2). */
const MAX_V1_ID_BYTES = 20;

const KINDS: readonly LongPacketKind[] = ['initial', 'zero-rtt', 'handshake', 'retry'];
const NO_TOKEN = new Uint8Array(0);

/** Whether a datagram begins with a short-header packet. */
export function isShortHeader(datagram: Uint8Array): boolean {
  return ((datagram[0] as number) & 0x80) === 0;
}

/**
 * Reads the long header at the start of a datagram (RFC 8999 section 5.1, RFC 9000 section 17.2).
 * @returns null where the bytes cannot be one.
 */
export function parseLongHeader(datagram: Buffer): LongHeader | null {
  if (datagram.length < 7 || isShortHeader(datagram)) return null;
  const first = datagram[0] as number;
  const version = datagram.readUInt32BE(1);
  const dcidEnd = 6 + (datagram[5] as number);
  if (dcidEnd >= datagram.length) return null;
  const scidEnd = dcidEnd + 1 + (datagram[dcidEnd] as number);
  if (scidEnd > datagram.length) return null;
  const dcid = datagram.subarray(6, dcidEnd);
  const scid = datagram.subarray(dcidEnd + 1, scidEnd);
  if (version === 0) return { version, kind: 'negotiation', dcid, scid, token: NO_TOKEN };
  const kind = KINDS[(first >> 4) & 3] as LongPacketKind;
  if (version !== QUIC_V1) return { version, kind, dcid, scid, token: NO_TOKEN };
  if ((first & 0x40) === 0) return null;
  if (dcid.length > MAX_V1_ID_BYTES || scid.length > MAX_V1_ID_BYTES) return null;
  if (kind !== 'initial') return { version, kind, dcid, scid, token: NO_TOKEN };
  const token = readToken(datagram, scidEnd);
  return token === null ? null : { version, kind, dcid, scid, token };
}

/** A variable-length length (RFC 9000 section 16), then as many bytes. */
function readToken(datagram: Buffer, start: number): Uint8Array | null {
  if (start >= datagram.length) return null;
  const lengthBytes = 1 << ((datagram[start] as number) >> 6);
  // A length of 4 or 8 bytes could only announce more than a datagram holds.
  if (lengthBytes > 2 || start + lengthBytes > datagram.length) return null;
  const length =
    lengthBytes === 1 ? (datagram[start] as number) : datagram.readUInt16BE(start) & 0x3fff;
  const from = start + lengthBytes;
  if (from + length > datagram.length) return null;
  return datagram.subarray(from, from + length);
}
