import { MAX_FRAME_BYTES } from '../wire/limits.js';
import { FRAGMENT_BYTES } from './parts.js';

/** A heartbeat or its answer, bytes: some hundred, of which names and addresses are most. */
export const MAX_BEAT_BYTES = 64 * 1024;

/** What a standby sends, bytes. Its largest is an offer of one push as large as a frame, with openid and key. */
export const MAX_FROM_STANDBY_BYTES = MAX_FRAME_BYTES + 64 * 1024;

/**
 * What a primary sends, bytes. What is larger than FRAGMENT_BYTES travels in fragments of so many; as much
 * again is for what a chunk adds to each of its records.
 */
export const MAX_FROM_PRIMARY_BYTES = 2 * FRAGMENT_BYTES;
