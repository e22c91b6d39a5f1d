import { EpochProof } from '../replication/epoch-proof.js';
import type { RoleMachine } from '../replication/role-machine.js';
import { NO_PROOF } from '../session/epochs.js';
import type { Epochs } from '../session/epochs.js';

/** The epochs of a gateway of a pair: proven to its clients where there is a backup.cluster_secret. */
export class PairEpochs implements Epochs {
  private readonly proof: EpochProof | null;

  /** @param machine null before the gateway knows of any role. */
  constructor(
    secret: string | null,
    clusterId: string,
    private readonly machine: () => RoleMachine | null,
  ) {
    this.proof = secret === null ? null : new EpochProof(secret, clusterId);
  }

  get current(): number {
    return this.machine()?.epoch ?? 0;
  }

  proofFor(openid: string): Uint8Array {
    return this.proof?.of(openid, this.current) ?? NO_PROOF;
  }

  onSeen(openid: string, epoch: number, proof: Uint8Array): void {
    if (epoch <= this.current || this.proof === null) return;
    if (this.proof.holds(openid, epoch, proof)) this.machine()?.onSeenEpoch(epoch);
  }
}
