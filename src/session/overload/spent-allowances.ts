import type { TokenBucket } from '../../base/token-bucket.js';

/** Openids remembered without a session: some 15 MB. Beyond, the one that ended first is forgotten. */
export const MAX_SPENT_ALLOWANCES = 65_536;

/** Those looked at per ended session, so that forgetting keeps up with remembering. */
const FORGET_PER_END = 2;

/**
 * What sessions that have ended had spent of their allowance of requests, by openid: STOP and START buy no
 * new one. A bucket is forgotten once it is full, for a new one is as good.
 */
export class SpentAllowances {
  /** In the order in which their sessions ended. */
  private readonly byOpenid = new Map<string, TokenBucket>();

  /** Openids in the table. */
  get size(): number {
    return this.byOpenid.size;
  }

  /** The session of this openid has ended. @param now monotonic ms. */
  keep(openid: string, bucket: TokenBucket, now: number): void {
    this.forgetFull(now);
    if (bucket.isFull(now)) return;
    this.byOpenid.delete(openid);
    this.byOpenid.set(openid, bucket);
    if (this.byOpenid.size > MAX_SPENT_ALLOWANCES) this.forgetOldest();
  }

  /** What is left to this openid, for its next session; null: as much as to a new one. */
  take(openid: string): TokenBucket | null {
    const bucket = this.byOpenid.get(openid);
    if (bucket === undefined) return null;
    this.byOpenid.delete(openid);
    return bucket;
  }

  private forgetFull(now: number): void {
    let looks = FORGET_PER_END;
    for (const [openid, bucket] of this.byOpenid) {
      if (looks-- === 0 || !bucket.isFull(now)) return;
      this.byOpenid.delete(openid);
    }
  }

  private forgetOldest(): void {
    for (const openid of this.byOpenid.keys()) {
      this.byOpenid.delete(openid);
      return;
    }
  }
}
