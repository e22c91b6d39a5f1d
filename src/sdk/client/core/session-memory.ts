import type { StartResponse } from '../../../wire/client-messages.js';

const NO_PROOF = new Uint8Array(0);

/** What a client remembers of its session between connections. */
export class SessionMemory {
  private id = '';
  private seenEpoch = 0;
  private proof = NO_PROOF;

  /** connection_id of the last START_RESP; empty before the first. */
  get sessionId(): string {
    return this.id;
  }

  /** The epoch that the gateway named, and its proof of it (REPLICATION.md, "Roles and fencing"). */
  get epoch(): number {
    return this.seenEpoch;
  }

  get epochProof(): Uint8Array {
    return this.proof;
  }

  /** What a former process of this client had learnt. */
  restore(sessionId: string, epoch: number, epochProof: Uint8Array<ArrayBuffer>): void {
    this.id = sessionId;
    this.seenEpoch = epoch;
    this.proof = epochProof;
  }

  /** Learns from an accepted START. Returns whether it is the session that was known before. */
  learn(response: StartResponse): boolean {
    const same = response.connectionId === this.id && this.id !== '';
    this.id = response.connectionId;
    this.seenEpoch = response.epoch;
    this.proof = new Uint8Array(response.epochProof);
    return same;
  }
}
