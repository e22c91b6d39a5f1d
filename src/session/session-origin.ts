import type { TokenBucket } from '../base/token-bucket.js';

/** How an incarnation begins. */
export interface SessionOrigin {
  readonly id: string;
  readonly openid: string;
  /** For a session that was restored; a new one by default. */
  readonly handle?: number;
  readonly firstSeq: number;
  readonly openingClaim: number;
  readonly beganAtClaim: boolean;
  readonly recovered: boolean;
  /** Milliseconds since 1970, for a session that was restored; now by default. */
  readonly createdAt?: number;
  /** What the incarnation before was allowed: beginning anew buys no new allowance. */
  readonly rate?: TokenBucket | null;
}
