/** The epoch that clients are told, and what they bring back of it (REPLICATION.md, `seen_epoch`). */
export interface Epochs {
  readonly current: number;
  /** Goes with `current` into START_RESP; empty where nothing can be proven. */
  proofFor(openid: string): Uint8Array;
  /**
   * A client whose identity is proven says that it was served in this epoch. With a right proof of a
   * higher one this gateway is stale, and serves no more when it returns; else nothing happens.
   */
  onSeen(openid: string, epoch: number, proof: Uint8Array): void;
}

/** Where nothing can be proven. */
export const NO_PROOF = new Uint8Array(0);

/** Of a gateway without a peer, which is promoted once. */
export const LONE_EPOCHS: Epochs = Object.freeze({
  current: 1,
  proofFor: () => NO_PROOF,
  onSeen: () => undefined,
});
