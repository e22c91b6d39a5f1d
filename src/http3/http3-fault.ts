/** Error codes of HTTP/3 (RFC 9114 section 8.1), QPACK (RFC 9204 section 6) and datagrams (RFC 9297). */
export const Http3Code = {
  DATAGRAM_ERROR: 0x33,
  NO_ERROR: 0x100,
  GENERAL_PROTOCOL_ERROR: 0x101,
  INTERNAL_ERROR: 0x102,
  STREAM_CREATION_ERROR: 0x103,
  CLOSED_CRITICAL_STREAM: 0x104,
  FRAME_UNEXPECTED: 0x105,
  FRAME_ERROR: 0x106,
  EXCESSIVE_LOAD: 0x107,
  ID_ERROR: 0x108,
  SETTINGS_ERROR: 0x109,
  MISSING_SETTINGS: 0x10a,
  REQUEST_REJECTED: 0x10b,
  REQUEST_CANCELLED: 0x10c,
  REQUEST_INCOMPLETE: 0x10d,
  MESSAGE_ERROR: 0x10e,
  QPACK_DECOMPRESSION_FAILED: 0x200,
  QPACK_ENCODER_STREAM_ERROR: 0x201,
  QPACK_DECODER_STREAM_ERROR: 0x202,
} as const;

export type Http3Code = (typeof Http3Code)[keyof typeof Http3Code];

const names = new Map(
  Object.entries(Http3Code).map(([name, code]) => [code as number, name.toLowerCase()]),
);

/** Stable, lower snake case: the value of metric labels; `other` for a code that is not known. */
export function http3CodeName(code: number): string {
  return names.get(code) ?? 'other';
}

/** The peer broke a rule. It costs the peer the stream that it did it on, or the connection. */
export class Http3Fault extends Error {
  constructor(
    readonly scope: 'stream' | 'connection',
    readonly code: Http3Code,
    message: string,
  ) {
    super(message);
    this.name = 'Http3Fault';
  }
}

/** A fault that ends the connection (RFC 9114 section 8). */
export function connectionFault(code: keyof typeof Http3Code, message: string): Http3Fault {
  return new Http3Fault('connection', Http3Code[code], message);
}

/** A fault that ends one request. */
export function streamFault(code: keyof typeof Http3Code, message: string): Http3Fault {
  return new Http3Fault('stream', Http3Code[code], message);
}
