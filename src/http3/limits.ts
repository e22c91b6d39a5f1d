/**
 * Largest field section, as sent and as SETTINGS_MAX_FIELD_SECTION_SIZE counts it: room for a token
 * and the headers that proxies add, for each of MAX_REQUESTS at once.
 */
export const MAX_FIELD_SECTION_BYTES = 16 * 1024;

/** Frames of the control stream that are collected; Chromium's SETTINGS take about 40 bytes. */
export const MAX_CONTROL_FRAME_BYTES = 1_024;

/**
 * Requests that a client may have open at once. RFC 9114 section 6.1 would have 100, for pages of many
 * parts; here a request is one small answer, or a session's connection.
 */
export const MAX_REQUESTS = 16;

/** Unidirectional streams: control, two of QPACK, and room for those that only keep us honest (grease). */
export const MAX_UNI_STREAMS = 8;

/**
 * Streams that came to nothing (reset before their answer, malformed, of no known type) above those
 * that were served, within a sweep or two: a client that goes on so is closed with H3_EXCESSIVE_LOAD.
 */
export const MAX_VAIN_STREAMS = 100;

/**
 * How often a connection is looked over, ms: one without a request, a request without its head, and an
 * answered one whose client goes on sending are ended after one to two of these.
 */
export const SWEEP_MS = 15_000;

/**
 * What a client must take of an answer from one sweep to the next: the largest page, some 120 KB, in four
 * minutes. Who takes less holds memory and a connection for nothing.
 */
export const MIN_SWEPT_BYTES = 8 * 1024;

/** Bytes of a body that nobody wants which are read, so that its sender may end; then it is stopped. */
export const UNWANTED_BODY_BYTES = 64 * 1024;

/**
 * Bytes of capsules on the CONNECT stream of one session: a close of at most 1,028 bytes, and room for what only
 * keeps us honest (grease). Of more nothing could come.
 */
export const MAX_CAPSULE_BYTES = 64 * 1024;

/** QUIC datagrams that wait to be thrown away: nobody here wants any, but WebTransport must offer them. */
export const DATAGRAM_QUEUE = 4;

/** How long a drained connection is left to its client, so that last answers arrive, ms. */
export const DRAIN_LINGER_MS = 1_000;

/**
 * How long what was said last is left to a client when the gateway stops, ms: a browser's network process hands on
 * the end of a session a turn later than it takes notice of the connection's.
 */
export const SETTLE_MS = 100;
