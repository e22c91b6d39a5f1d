import type { StreamOpener } from './message-stream.js';

/** The status codes of gRPC (grpc/grpc, doc/statuscodes.md). */
export const GrpcStatus = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16,
} as const;

/** Why a call brought no response. */
export interface CallFailure {
  /** A gRPC status code, never OK. */
  readonly status: number;
  /** One line for logs; may name addresses and may be the peer's own text. */
  readonly message: string;
  /**
   * True only where the request surely was not processed: it never left this process, or the peer
   * itself says that it did not look at it (GOAWAY, REFUSED_STREAM). In doubt it was.
   */
  readonly neverSent: boolean;
  /** Not sent because too much waits for the peer to read already; says nothing else about it. */
  readonly full?: boolean;
  /** Its time was up while it waited on a connection that stood: the peer is busy, not gone. */
  readonly busy?: boolean;
}

/** Who waits for a call. Exactly one of the two is called, once, after `call` has returned. */
export interface CallObserver {
  /** The encoded response message. The bytes are the observer's to keep. */
  onResponse(bytes: Uint8Array): void;
  onFailure(failure: CallFailure): void;
}

/** A call under way. */
export interface CallHandle {
  /** Ends the call with CANCELLED, unless its outcome is already decided. */
  cancel(): void;
  /**
   * Takes the call back, unless it may have been sent or its outcome is decided; then its observer hears of it no
   * more. Not every caller can. @returns whether it was taken back.
   */
  withdraw?(): boolean;
}

/**
 * Unary gRPC calls to one address over one channel. Implementations are interchangeable; the suite
 * in test/support/upstream-caller-suite.ts holds what they all promise:
 *
 * - calls made in order on a caller are sent in order;
 * - a call that is not answered within its deadline fails with DEADLINE_EXCEEDED, and nothing that
 *   arrives later reaches its observer;
 * - a lost connection is made again by itself; calls made meanwhile fail with `neverSent`.
 */
export interface UnaryCaller {
  /**
   * 0 while it is connected; else the number of the attempt to connect that runs or failed last, or made the
   * connection that was lost. Calls that fail under one number fail for one reason. Not every caller knows.
   */
  readonly outage?: number;
  /** Whether a call that is made now need not wait for a connection. Not every caller knows. */
  readonly connected?: boolean;
  /**
   * @param method full path, `/package.Service/Method`.
   * @param request the encoded request message; not changed by anyone until the outcome.
   * @param deadline ms from now, above 0; told to the peer.
   */
  call(method: string, request: Uint8Array, deadline: number, observer: CallObserver): CallHandle;
  /** Ends the channel; calls under way fail. Idempotent; calls made later fail with `neverSent`. */
  close(): void;
}

/** Makes the caller for an address (`host:port`, IPv6 in brackets). Connects with its first call. */
export type CallerFactory = (address: string) => UnaryCaller & Partial<StreamOpener>;
