import { createHmac, randomFillSync } from 'node:crypto';
import { CONNECTION_ID_BYTES } from './limits.js';

/** Random bytes are drawn in bulk: one call to the system serves this many ids. */
const IDS_PER_DRAW = 512;

/** A connection id as a key of a Map. */
export function idKey(id: Uint8Array): string {
  return Buffer.from(id.buffer, id.byteOffset, id.byteLength).toString('latin1');
}

/** Makes connection ids nobody can guess, and the stateless reset token of each. */
export class ConnectionIdSource {
  private readonly pool = Buffer.allocUnsafeSlow(CONNECTION_ID_BYTES * IDS_PER_DRAW);
  private used = this.pool.length;

  /** @param resetKey keys the tokens; the same key lets a restarted server reset old connections. */
  constructor(private readonly resetKey: Uint8Array) {}

  /** A fresh random id of CONNECTION_ID_BYTES; the buffer is the caller's. */
  next(): Buffer {
    if (this.used === this.pool.length) {
      randomFillSync(this.pool);
      this.used = 0;
    }
    const id = Buffer.from(this.pool.subarray(this.used, this.used + CONNECTION_ID_BYTES));
    this.used += CONNECTION_ID_BYTES;
    return id;
  }

  /** The 16 bytes that reset the connection with this id (RFC 9000 section 10.3.2). */
  resetToken(id: Uint8Array): Buffer {
    const mac = createHmac('sha256', this.resetKey).update('stateless reset').update(id).digest();
    return mac.subarray(0, 16);
  }

  /** The same token as quiche takes it: one big-endian number of 128 bits. */
  resetTokenNumber(id: Uint8Array): bigint {
    const token = this.resetToken(id);
    return (token.readBigUInt64BE(0) << 64n) | token.readBigUInt64BE(8);
  }
}
