import { createHmac, timingSafeEqual } from 'node:crypto';

const PROOF_BYTES = 16;

/**
 * The proof beside `epoch` in StartResponse (WIRE.md). A client brings both with its next START as
 * `seen_epoch`; only with it a number above the own epoch fences a stale primary, or one forged number
 * would depose it.
 */
export class EpochProof {
  /** @param clusterId binds proofs to this pair, for pairs may share a secret. */
  constructor(
    private readonly secret: string,
    private readonly clusterId: string,
  ) {}

  /** @param openid binds the proof to the client that it is given to. */
  of(openid: string, epoch: number): Uint8Array {
    const { secret, clusterId } = this;
    // Length first, so that no two inputs give the same bytes.
    const text = `gatesvr.epoch ${epoch} ${clusterId.length}\n${clusterId}${openid}`;
    return createHmac('sha256', secret).update(text).digest().subarray(0, PROOF_BYTES);
  }

  /** Whether `proof` was given to this client in this epoch. */
  holds(openid: string, epoch: number, proof: Uint8Array): boolean {
    const right = this.of(openid, epoch);
    return proof.length === right.length && timingSafeEqual(proof, right);
  }
}
