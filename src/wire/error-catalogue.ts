/**
 * Every error code that a client can see, in PUSH_ERROR, in a refused START_RESP, or as the QUIC
 * application close code (DESIGN.md, "Flow"). The numbers follow HTTP.
 */
export const ErrorCode = {
  /** Closed on purpose and without complaint: STOP, or the peer went away. */
  None: 0,
  BadFrame: 400,
  Unauthenticated: 401,
  Forbidden: 403,
  AckTimeout: 408,
  Replaced: 409,
  AlreadyAcknowledged: 410,
  TooLarge: 413,
  NotPrimary: 421,
  TooManyRequests: 429,
  Internal: 500,
  UpstreamFailed: 502,
  Overloaded: 503,
  UpstreamTimeout: 504,
} as const;

export type ErrorCode = (typeof ErrorCode)[keyof typeof ErrorCode];

interface CatalogueEntry {
  /** Stable, lower snake case; the value of metric labels. */
  readonly name: string;
  /** What the client is told when there is nothing more precise to say. */
  readonly message: string;
  /** Whether a client that was closed with this code may connect again with the same START. */
  readonly mayReconnect: boolean;
}

const catalogue: Readonly<Record<ErrorCode, CatalogueEntry>> = Object.freeze({
  0: { name: 'none', message: 'closed', mayReconnect: true },
  400: { name: 'bad_frame', message: 'bad frame or sequence', mayReconnect: true },
  401: { name: 'unauthenticated', message: 'not authenticated', mayReconnect: false },
  403: { name: 'forbidden', message: 'refused', mayReconnect: false },
  408: { name: 'ack_timeout', message: 'acknowledgements come too late', mayReconnect: true },
  409: { name: 'replaced', message: 'replaced by a newer connection', mayReconnect: false },
  410: { name: 'already_acknowledged', message: 'answer already acknowledged', mayReconnect: true },
  413: { name: 'too_large', message: 'frame too large', mayReconnect: true },
  421: { name: 'not_primary', message: 'not the primary gateway', mayReconnect: true },
  429: { name: 'too_many_requests', message: 'rate limited or outbox full', mayReconnect: true },
  500: { name: 'internal', message: 'internal error', mayReconnect: true },
  502: { name: 'upstream_failed', message: 'upstream failed', mayReconnect: true },
  503: { name: 'overloaded', message: 'overloaded or no upstream', mayReconnect: true },
  504: { name: 'upstream_timeout', message: 'upstream timed out', mayReconnect: true },
});

/**
 * Detail of the 401 that tells a client that its token ran out (msg_id 0, seq_id 0): a START with a new
 * one on the same connection renews it; when none comes, the connection is closed after a grace time.
 */
export const TOKEN_EXPIRED = 'token_expired';

/** The catalogue's entry for a code, or undefined for a number that is not ours. */
export function describeError(code: number): CatalogueEntry | undefined {
  return catalogue[code as ErrorCode];
}

/** The name for logs and metric labels; `other` for a number that is not ours. */
export function errorName(code: number): string {
  return describeError(code)?.name ?? 'other';
}

/**
 * Whether a request that was answered with this code was surely not executed, and the same one may well
 * be accepted a moment later.
 */
export function isPassing(code: number): boolean {
  return code === ErrorCode.TooManyRequests || code === ErrorCode.Overloaded;
}
