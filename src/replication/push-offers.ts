import { inBatches } from '../base/batches.js';
import type { OfferedPush } from '../wire/messages.js';

/** An OfferedPush as it is decoded. */
export type OfferedFields = Partial<{ [K in keyof OfferedPush]: OfferedPush[K] | null }>;

/**
 * The pushes that only a deposed primary holds (REPLICATION.md): it offers them once, behind the first
 * snapshot that it takes, and the primary accepts them as new pushes.
 */
export interface PushOffers {
  /** On the standby: what it has to offer; forgotten with that. */
  take(): OfferedPush[];
  /** On the standby: what became of them. */
  told(accepted: number, refused: number): void;
  /** On the primary. @returns whether it has it now. */
  accept(push: OfferedFields): boolean;
}

export const NO_OFFERS: PushOffers = Object.freeze({
  take: () => [],
  told: () => undefined,
  accept: () => false,
});

/** An offer goes in messages of about this size, far below what one may hold. */
const MESSAGE_BYTES = 256 * 1024;

/** What a push has beside body, openid and key: digest, times and the encoding, bytes at most. */
const PUSH_OVERHEAD_BYTES = 128;

/** Cuts what is offered into messages; only one with a single large push is larger than MESSAGE_BYTES. */
export function inMessages(pushes: readonly OfferedPush[]): Iterable<OfferedPush[]> {
  return inBatches(pushes, sizeOf, { bytes: MESSAGE_BYTES });
}

function sizeOf({ openid, body, key }: OfferedPush): number {
  const names = Buffer.byteLength(openid) + Buffer.byteLength(key?.key ?? '');
  return body.length + names + PUSH_OVERHEAD_BYTES;
}
