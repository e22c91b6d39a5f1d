import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../base/clock.js';

/** Seconds a token counts: many round trips, too short to hoard tokens for a later flood. */
const LIFETIME_S = 15;
/** Clocks of a pair of gateways that share a key may differ by this much, in seconds. */
const SKEW_S = 5;

/** Tells our tokens from those that clients got elsewhere, of NEW_TOKEN frames, too. */
const MARK = Buffer.from('gsR1', 'latin1');
const MAC_END = MARK.length + 16;
const HEAD_BYTES = MAC_END + 4;

/** Whether a token says that it is of our Retry packets, right or wrong. */
export function isRetryToken(token: Uint8Array): boolean {
  return MARK.equals(token.subarray(0, MARK.length));
}

/**
 * Tokens of stateless retry (RFC 9000 section 8.1.2): a mark of 4 bytes; 16 bytes of HMAC-SHA256 over address, port,
 * time, the id that the server chose and the client's original id; then the time (4 bytes, s), then
 * the original id. Nothing is kept until a client proved that it receives at its address.
 */
export class RetryTokens {
  constructor(
    private readonly key: Uint8Array,
    private readonly clock: Clock,
  ) {}

  /**
   * @param originalId the destination id of the client's first Initial.
   * @param newId the source id of the Retry packet: the client's next destination id.
   */
  mint(host: string, port: number, originalId: Uint8Array, newId: Uint8Array): Buffer {
    const token = Buffer.alloc(HEAD_BYTES + originalId.length);
    MARK.copy(token);
    token.writeUInt32BE(this.nowSeconds(), MAC_END);
    token.set(originalId, HEAD_BYTES);
    this.mac(host, port, token.subarray(MAC_END), newId).copy(token, MARK.length);
    return token;
  }

  /** The original id that a token proves for this address and destination id, or null. */
  open(host: string, port: number, token: Uint8Array, destinationId: Uint8Array): Buffer | null {
    if (token.length <= HEAD_BYTES || !isRetryToken(token)) return null;
    const bytes = Buffer.from(token);
    const expected = this.mac(host, port, bytes.subarray(MAC_END), destinationId);
    if (!timingSafeEqual(expected, bytes.subarray(MARK.length, MAC_END))) return null;
    const age = (this.nowSeconds() - bytes.readUInt32BE(MAC_END)) | 0;
    if (age > LIFETIME_S || age < -SKEW_S) return null;
    return bytes.subarray(HEAD_BYTES);
  }

  /** Seconds of the wall clock in 32 bits, which it may exceed or be set before: only their difference matters. */
  private nowSeconds(): number {
    return Math.floor(this.clock.wallTime() / 1000) >>> 0;
  }

  private mac(host: string, port: number, timeAndId: Uint8Array, id: Uint8Array): Buffer {
    return createHmac('sha256', this.key)
      .update(`retry ${host} ${port} `)
      .update(Uint8Array.of(id.length))
      .update(id)
      .update(timeAndId)
      .digest()
      .subarray(0, MAC_END - MARK.length);
  }
}
