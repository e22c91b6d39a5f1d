import type { MessageStream } from './message-stream.js';

/**
 * Bytes of a request that names a service or a symbol: of methods that ask for no secret, so that who does not know it
 * cannot have large requests that never end kept, on each stream of a connection.
 */
export const SHORT_REQUEST_BYTES = 4_096;

/** One unary method, bytes in and bytes out. */
export interface UnaryMethod {
  /** Full path, `/package.Service/Method`. */
  readonly path: string;
  /** Whether callers must give the server's secret, where it has one. Default: no. */
  readonly guarded?: boolean;
  /** Largest request that it takes, where that is less than what its server takes (`framed` only). */
  readonly maxRequestBytes?: number;
  /**
   * Answers once, through `respond` or `refuse`, now or later; later answers are ignored. What it
   * throws becomes status INTERNAL without its text.
   * @param peer the caller as grpc-js names it, `127.0.0.1:5000` or `::1:5000`.
   * @param refuse answers with a gRPC status instead of a message.
   */
  handle(
    request: Uint8Array,
    peer: string,
    respond: (response: Uint8Array) => void,
    refuse: (status: number, message: string) => void,
  ): void;
}

/** The way back to the caller of a streaming method. */
export interface ResponseStream extends MessageStream {
  /** Ends the call with a gRPC status, OK by default, behind what was written. Idempotent. */
  end(status?: number, message?: string): void;
}

/** One call of a streaming method, as its server sees it. Nothing but `onClosed` follows an `end`. */
export interface StreamCall {
  onMessage(request: Uint8Array): void;
  /** The caller sends nothing more. */
  onHalfClose(): void;
  /** What was written has mostly left: `write` may go on. */
  onDrain?(): void;
  /** The call is over, for whatever reason; called exactly once, and last. */
  onClosed(): void;
}

/** One method with a stream of messages in either or both directions. */
export interface StreamMethod {
  /** Full path, `/package.Service/Method`. */
  readonly path: string;
  readonly guarded?: boolean;
  /** As that of a unary method; of each message. */
  readonly maxRequestBytes?: number;
  /** What it throws becomes status INTERNAL without its text, as with all calls of the StreamCall. */
  open(responses: ResponseStream, peer: string): StreamCall;
}
