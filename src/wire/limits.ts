/** Largest protobuf in one frame, both ways (WIRE.md, "Client edge"). */
export const MAX_FRAME_BYTES = 1_048_576;

/** The length prefix of a frame: 4 bytes, big-endian, unsigned (WIRE.md, "Client edge"). */
export const FRAME_PREFIX_BYTES = 4;

/**
 * Entries of a map that a client may always send. Each is decoded, encoded for the upstream and kept
 * with the request, at some microseconds: a frame full of them held the event loop for a quarter of a second.
 */
export const MAX_MAP_ENTRIES = 1_024;

/** Fields of a message from a client: an entry of a map is three, the rest is room for its own. */
export const MAX_CLIENT_FIELDS = 4 * MAX_MAP_ENTRIES;

/**
 * Fields of a message from an upstream, with which it takes some ten milliseconds: more than a hundred for
 * each push of the largest batch. The 4 MiB of a gRPC message have room for two million.
 */
export const MAX_UPSTREAM_FIELDS = 131_072;

/** Longest openid in UTF-8 bytes: it is a map key, a log field and part of every upstream request. */
export const MAX_OPENID_BYTES = 128;

/**
 * Largest last_acked_seq_id that a START may claim. Numbers stay below 2^53, where JavaScript counts
 * exactly; this leaves every session room for 2^52 frames more (docs/SESSIONS.md, "Starting and resuming").
 */
export const MAX_CLAIMED_SEQ = 2 ** 52;

/**
 * Largest seq_id of a business frame. What is kept of a session names the number after it too, and must
 * be readable again: below 2^53. No client counts that far.
 */
export const MAX_CLIENT_SEQ = 2 ** 52;

/**
 * After a start or a promotion that may not know the newest frames, push numbers go on at a multiple of
 * this: far above anything that could have been sent since (REPLICATION.md, "Replication").
 */
export const NUMBER_JUMP = 2 ** 32;

/**
 * Largest PushBody that still fits into a frame together with its msg_id and seq_id: one tag byte and
 * at most 5 and 8 varint bytes.
 */
export const MAX_BODY_BYTES = MAX_FRAME_BYTES - 15;

/** Largest answer that fits there: code, message, data and headers, beside 2 bytes of type and 4 before the payload. */
export const MAX_ANSWER_BYTES = MAX_BODY_BYTES - 6;
