import { createCipheriv, createHmac } from 'node:crypto';
import { QUIC_V1 } from './packet-header.js';

/** RFC 9001 section 5.2. */
const INITIAL_SALT = Buffer.from('38762cf7f55934b34d179ae6a4c80cadccbb7f0a', 'hex');

const FRAME_CONNECTION_CLOSE = 0x1c;
const TAG_BYTES = 16;

/** Transport error codes that are answered before there is a connection (RFC 9000 section 20.1). */
export const TransportError = { ConnectionRefused: 0x02, InvalidToken: 0x0b } as const;

/** The keys of a server's Initial packets (RFC 9001 section 5.2). */
export interface InitialKeys {
  readonly key: Buffer;
  readonly iv: Buffer;
  readonly hp: Buffer;
}

/** @param clientDcid the destination id of the client's Initial that is answered. */
export function serverInitialKeys(clientDcid: Uint8Array): InitialKeys {
  const initial = createHmac('sha256', INITIAL_SALT).update(clientDcid).digest();
  const server = expandLabel(initial, 'server in', 32);
  return {
    key: expandLabel(server, 'quic key', 16),
    iv: expandLabel(server, 'quic iv', 12),
    hp: expandLabel(server, 'quic hp', 16),
  };
}

/** HKDF-Expand-Label with an empty context and at most one hash of output (RFC 8446 section 7.1). */
function expandLabel(secret: Uint8Array, label: string, length: number): Buffer {
  const name = `tls13 ${label}`;
  const info = Buffer.concat([
    Uint8Array.of(length >> 8, length & 0xff, name.length),
    Buffer.from(name, 'latin1'),
    Uint8Array.of(0, 1),
  ]);
  return createHmac('sha256', secret).update(info).digest().subarray(0, length);
}

/**
 * An Initial packet that closes a connection which was never made: what refuses a client costs no
 * state and no TLS handshake. It closes with packet number 0 and is not padded, as a datagram
 * without ack-eliciting frames need not be (RFC 9000 section 14.1).
 * @param dcid the client's source id.
 * @param scid the client's destination id, which also keys the packet.
 * @param code a transport error, 0x100 + alert for one of TLS; below 2^14.
 */
export function initialClose(dcid: Uint8Array, scid: Uint8Array, code: number): Buffer {
  const payload = Uint8Array.of(FRAME_CONNECTION_CLOSE, ...varint(code), 0, 0);
  const packetNumber = Uint8Array.of(0);
  const version = Buffer.alloc(4);
  version.writeUInt32BE(QUIC_V1, 0);
  const header = Buffer.concat([
    Uint8Array.of(0xc0),
    version,
    Uint8Array.of(dcid.length),
    dcid,
    Uint8Array.of(scid.length),
    scid,
    Uint8Array.of(0, packetNumber.length + payload.length + TAG_BYTES),
    packetNumber,
  ]);
  const keys = serverInitialKeys(scid);
  const cipher = createCipheriv('aes-128-gcm', keys.key, keys.iv);
  cipher.setAAD(header);
  const sealed = Buffer.concat([cipher.update(payload), cipher.final(), cipher.getAuthTag()]);
  protect(header, sealed, keys.hp);
  return Buffer.concat([header, sealed]);
}

/** A variable-length integer of one or two bytes (RFC 9000 section 16). */
function varint(value: number): number[] {
  return value < 64 ? [value] : [0x40 | (value >> 8), value & 0xff];
}

/** Header protection (RFC 9001 section 5.4) of a long header that ends in a one-byte packet number. */
function protect(header: Buffer, sealed: Buffer, key: Buffer): void {
  const cipher = createCipheriv('aes-128-ecb', key, null).setAutoPadding(false);
  const mask = cipher.update(sealed.subarray(3, 19));
  header.writeUInt8((header[0] as number) ^ ((mask[0] as number) & 0x0f), 0);
  const last = header.length - 1;
  header.writeUInt8((header[last] as number) ^ (mask[1] as number), last);
}
