import { createCipheriv } from 'node:crypto';
import { RandomDraws } from '../base/random-draws.js';
import { CONNECTION_ID_BYTES, RESET_TOKEN_BYTES } from './limits.js';

/** A connection id as a key of a Map. */
export function idKey(id: Uint8Array): string {
  return Buffer.from(id.buffer, id.byteOffset, id.byteLength).toString('latin1');
}

/** Makes connection ids nobody can guess, and the stateless reset token of each. */
export class ConnectionIdSource {
  private readonly draws = new RandomDraws(CONNECTION_ID_BYTES);
  private readonly cipher;
  /** The id, and zeros up to the block of the cipher. */
  private readonly block = Buffer.alloc(RESET_TOKEN_BYTES);

  /** @param resetKey keys the tokens, 32 bytes; the same key lets a restarted server reset old connections. */
  constructor(resetKey: Uint8Array) {
    this.cipher = createCipheriv('aes-256-ecb', resetKey, null).setAutoPadding(false);
  }

  /** A fresh random id of CONNECTION_ID_BYTES; the buffer is the caller's. */
  next(): Buffer {
    return this.draws.next();
  }

  /**
   * The 16 bytes that reset the connection with this id (RFC 9000 section 10.3.2). An id and its padding are
   * one block, so that AES alone is the pseudorandom function wanted there: three are made for each
   * connect, and a MAC of node costs eight times as much.
   */
  resetToken(id: Uint8Array): Buffer {
    this.block.set(id);
    return this.cipher.update(this.block);
  }

  /** The same token as quiche takes it: one big-endian number of 128 bits. */
  resetTokenNumber(id: Uint8Array): bigint {
    const token = this.resetToken(id);
    return (token.readBigUInt64BE(0) << 64n) | token.readBigUInt64BE(8);
  }
}
