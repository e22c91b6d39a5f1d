import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { Sealed } from '../wire/messages.js';

/** What a proof is for: one made for one purpose is worth nothing for another. */
export type SealLabel = 'beat' | 'answer' | 'hello' | 'opening';

/** A message with its proof, as generated codecs read it. */
interface SealedBytes {
  readonly body?: Uint8Array | null;
  readonly proof?: Uint8Array | null;
}

const NOTHING = new Uint8Array(0);
const CHALLENGE_BYTES = 16;

/** Proves messages between the two gateways by HMAC-SHA256 under backup.cluster_secret. */
export class ClusterSeal {
  /** @param secret null: nothing is proven, and every proof is accepted. */
  constructor(private readonly secret: string | null) {}

  /** @param context what the message answers to: a challenge, or the proof of a question. */
  seal(label: SealLabel, context: Uint8Array, body: Uint8Array): Sealed {
    return new Sealed({ body, proof: this.proof(label, context, body) });
  }

  /** @returns the body, null where the proof is wrong. */
  open(label: SealLabel, context: Uint8Array, sealed: SealedBytes): Uint8Array | null {
    const body = sealed.body ?? NOTHING;
    if (this.secret === null) return body;
    const proof = sealed.proof ?? NOTHING;
    const right = this.proof(label, context, body);
    return proof.length === right.length && timingSafeEqual(proof, right) ? body : null;
  }

  /** Bytes that nobody has answered to before. */
  challenge(): Uint8Array {
    return randomBytes(CHALLENGE_BYTES);
  }

  private proof(label: SealLabel, context: Uint8Array, body: Uint8Array): Uint8Array {
    if (this.secret === null) return NOTHING;
    // Label and length first, so that no two inputs give the same bytes.
    const head = `gatesvr.replication ${label} ${context.length}\n`;
    return createHmac('sha256', this.secret).update(head).update(context).update(body).digest();
  }
}
