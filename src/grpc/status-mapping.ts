import { GrpcStatus } from './unary-caller.js';

/** A peer chooses the text of its status; so much of it goes into logs. */
const MAX_STATUS_TEXT = 200;

/** The error codes of HTTP/2 that are told apart here (RFC 9113 section 7). */
export const Http2Code = {
  NO_ERROR: 0,
  PROTOCOL_ERROR: 1,
  FLOW_CONTROL_ERROR: 3,
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
function isGrpcContent(contentType: string | undefined): boolean {
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

/** One line of bounded length for logs. */
export function statusLine(text: string): string {
  return text.slice(0, MAX_STATUS_TEXT).replaceAll(/[\r\n]+/g, ' ');
}
