import { createCipheriv, createHmac, hkdfSync } from 'node:crypto';

/** RFC 9001 section 5.2. */
const INITIAL_SALT = Buffer.from('38762cf7f55934b34d179ae6a4c80cadccbb7f0a', 'hex');
const TAG_BYTES = 16;

/** What an Initial of a client says. */
export interface InitialContent {
  /** The destination id of the client's first Initial, from which the keys of all are made. */
  readonly dcid: Uint8Array;
  readonly packetNumber: number;
  /** Frames, at least 4 bytes. */
  readonly frames: Uint8Array;
}

/** An Initial packet of a client without an id, as anybody can make it: its keys are no secret. */
export function clientInitial({ dcid, packetNumber, frames }: InitialContent): Buffer {
  const secret = Buffer.from(hkdfSync('sha256', dcid, INITIAL_SALT, labelOf('client in', 32), 32));
  const iv = expand(secret, 'quic iv', 12);
  iv.writeUInt16BE(iv.readUInt16BE(10) ^ packetNumber, 10);
  const header = headerOf(dcid, packetNumber, 2 + frames.length + TAG_BYTES);
  const cipher = createCipheriv('aes-128-gcm', expand(secret, 'quic key', 16), iv).setAAD(header);
  const sealed = Buffer.concat([cipher.update(frames), cipher.final(), cipher.getAuthTag()]);
  const mask = createCipheriv('aes-128-ecb', expand(secret, 'quic hp', 16), null);
  protect(header, mask.update(sealed.subarray(2, 18)));
  return Buffer.concat([header, sealed]);
}

/** Of an Initial without a token, whose packet number takes two bytes. */
function headerOf(dcid: Uint8Array, packetNumber: number, length: number): Buffer {
  const numbers = Buffer.alloc(4);
  numbers.writeUInt16BE(0x4000 | length, 0);
  numbers.writeUInt16BE(packetNumber, 2);
  const typeAndVersion = Uint8Array.of(0xc1, 0, 0, 0, 1);
  const noSourceNoToken = Uint8Array.of(0, 0);
  return Buffer.concat([
    typeAndVersion,
    Uint8Array.of(dcid.length),
    dcid,
    noSourceNoToken,
    numbers,
  ]);
}

/** Header protection (RFC 9001 section 5.4) of a packet number of two bytes. */
function protect(header: Buffer, mask: Buffer): void {
  const numberAt = header.length - 2;
  header.writeUInt8(header.readUInt8(0) ^ (mask.readUInt8(0) & 0x0f), 0);
  header.writeUInt16BE(header.readUInt16BE(numberAt) ^ mask.readUInt16BE(1), numberAt);
}

/** HKDF-Expand-Label with an empty context (RFC 8446 section 7.1). */
function expand(secret: Buffer, name: string, length: number): Buffer {
  const info = Buffer.concat([labelOf(name, length), Uint8Array.of(1)]);
  return createHmac('sha256', secret).update(info).digest().subarray(0, length);
}

function labelOf(name: string, length: number): Buffer {
  const label = `tls13 ${name}`;
  const sizes = Uint8Array.of(0, length, label.length);
  return Buffer.concat([sizes, Buffer.from(label, 'latin1'), Uint8Array.of(0)]);
}
