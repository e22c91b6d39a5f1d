/** Of a frame's head (RFC 9113 section 4.1). */
export const HEAD_BYTES = 9;
/** Largest payload that we take and, until the peer allows more, send. */
export const FRAME_PAYLOAD = 16_384;
/**
 * Largest header block of an answer that we take; said to the peer as the largest list of headers, which counts
 * more than the block does. Above what any gRPC library sends as the text of a status: an answer of
 * one call that is too large would cost the connection, and every call on it.
 */
export const MAX_HEADERS = 1_048_576;
/**
 * Largest header block of a request: anyone may send one, and a token or a trace is far below it (grpc-js and
 * node:http2 take 64 KiB too).
 */
export const MAX_REQUEST_HEADERS = 65_536;
/** Of a flow control window. */
export const MAX_WINDOW = 2 ** 31 - 1;
/** What a window is before anyone says otherwise. */
export const FIRST_WINDOW = 65_535;
export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/** RFC 9113 section 6. */
export const FrameType = {
  DATA: 0,
  HEADERS: 1,
  PRIORITY: 2,
  RST_STREAM: 3,
  SETTINGS: 4,
  PUSH_PROMISE: 5,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
} as const;

export const Flag = {
  END_STREAM: 0x01,
  ACK: 0x01,
  END_HEADERS: 0x04,
  PADDED: 0x08,
  PRIORITY: 0x20,
} as const;

export const Setting = {
  HEADER_TABLE_SIZE: 1,
  ENABLE_PUSH: 2,
  MAX_CONCURRENT_STREAMS: 3,
  INITIAL_WINDOW_SIZE: 4,
  MAX_FRAME_SIZE: 5,
  MAX_HEADER_LIST_SIZE: 6,
} as const;
