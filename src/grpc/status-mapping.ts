import { GrpcStatus } from './unary-caller.js';

/** A peer chooses the text of its status; so much of it goes into logs. */
const MAX_STATUS_TEXT = 200;
/** Of our own statuses so many characters are sent: even if each takes twelve bytes they fit one frame. */
const MAX_SENT_TEXT = 1_000;

/** The error codes of HTTP/2 that are told apart here (RFC 9113 section 7). */
export const Http2Code = {
  NO_ERROR: 0,
  PROTOCOL_ERROR: 1,
  FLOW_CONTROL_ERROR: 3,
  STREAM_CLOSED: 5,
  FRAME_SIZE_ERROR: 6,
  REFUSED_STREAM: 7,
  CANCEL: 8,
  COMPRESSION_ERROR: 9,
  ENHANCE_YOUR_CALM: 11,
  INADEQUATE_SECURITY: 12,
} as const;

/** The status of a stream that was reset (grpc/grpc, doc/PROTOCOL-HTTP2.md, "Errors"). */
export function statusOfReset(code: number): number {
  switch (code) {
    case Http2Code.REFUSED_STREAM:
      return GrpcStatus.UNAVAILABLE;
    case Http2Code.CANCEL:
      return GrpcStatus.CANCELLED;
    case Http2Code.ENHANCE_YOUR_CALM:
      return GrpcStatus.RESOURCE_EXHAUSTED;
    case Http2Code.INADEQUATE_SECURITY:
      return GrpcStatus.PERMISSION_DENIED;
    default:
      return GrpcStatus.INTERNAL;
  }
}

/** Headers of an interim response (RFC 9110 section 15.2): those that count come later. */
export function isInterim(httpStatus: number): boolean {
  return httpStatus >= 100 && httpStatus < 200;
}

/** Why headers without a grpc-status open no answer of gRPC. @returns null where they do. */
export function refusalOf(
  httpStatus: number,
  contentType: string | undefined,
): { readonly status: number; readonly message: string } | null {
  if (httpStatus !== 200) {
    const message = `the peer answered HTTP status ${httpStatus}`;
    return { status: statusOfHttp(httpStatus), message };
  }
  if (isGrpcContent(contentType)) return null;
  const message = `the peer answered ${contentType ?? 'no content type'}`;
  return { status: GrpcStatus.UNKNOWN, message };
}

/** Whether a content type is that of gRPC, whatever the messages in it. */
export function isGrpcContent(contentType: string | undefined): boolean {
  return /^application\/grpc(?:$|[+;])/.test(contentType ?? '');
}

/** The status of an answer that carries none, by its HTTP status (doc/http-grpc-status-mapping.md). */
function statusOfHttp(httpStatus: number): number {
  switch (httpStatus) {
    case 400:
      return GrpcStatus.INTERNAL;
    case 401:
      return GrpcStatus.UNAUTHENTICATED;
    case 403:
      return GrpcStatus.PERMISSION_DENIED;
    case 404:
      return GrpcStatus.UNIMPLEMENTED;
    case 429:
    case 502:
    case 503:
    case 504:
      return GrpcStatus.UNAVAILABLE;
    default:
      return GrpcStatus.UNKNOWN;
  }
}

/**
 * Reads the value of `grpc-status`.
 * @returns UNKNOWN for what is no number from 0 to 16, as every gRPC library does.
 */
export function parseGrpcStatus(value: string): number {
  return /^(?:\d|1[0-6])$/.test(value) ? Number(value) : GrpcStatus.UNKNOWN;
}

/** Undoes the percent-encoding of `grpc-message`; what is not encoded rightly stays as it is. */
export function decodeGrpcMessage(value: string): string {
  if (!value.includes('%')) return value;
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

/**
 * The value of `grpc-message` (grpc/grpc, doc/PROTOCOL-HTTP2.md, "Status-Message"): UTF-8, percent-encoded where it is
 * not printable ASCII. A text beyond what fits one frame of headers is cut.
 */
export function encodeGrpcMessage(text: string): string {
  const cut = text.slice(0, MAX_SENT_TEXT);
  if (/^[ -$&-~]*$/.test(cut)) return cut;
  let encoded = '';
  for (const byte of Buffer.from(cut)) {
    const plain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
    encoded += plain
      ? String.fromCharCode(byte)
      : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return encoded;
}

/** One line of bounded length for logs. */
export function statusLine(text: string): string {
  return text.slice(0, MAX_STATUS_TEXT).replaceAll(/[\r\n]+/g, ' ');
}
