/**
 * Jumps of a client's numbers that are remembered per session; it can make one per connection,
 * and older ones only change a 400 into a 410.
 */
export const MAX_HOLES = 32;

/** Idempotency keys remembered at once: at about 150 bytes each some 30 MB; the oldest goes first. */
export const MAX_KEYS = 200_000;
