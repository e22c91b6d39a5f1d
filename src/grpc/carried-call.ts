import { Http2Code } from './status-mapping.js';

/** The HTTP/2 stream of a call. */
export interface CallStream {
  /** Resets the stream with a code of RFC 9113 section 7. Nothing of it reaches the call any more. */
  close(code: number): void;
}

/** The HTTP/2 stream of a bidirectional call. */
export interface BidiStream extends CallStream {
  /**
   * Sends one message, behind all others; it gets its prefix here.
   * @returns whether it has left at once; else the call's `onSent` tells.
   */
  write(message: Uint8Array): boolean;
  /** Hands what was written to the system now. */
  flush?(): void;
  /** Nothing more is written. */
  end(): void;
  /** What comes is kept by the peer, as far as flow control goes. */
  pause(): void;
  resume(): void;
}

/** A call as the connection that carries it, and its caller, see it. */
export interface CarriedCall {
  /** In order of the calls of a caller. */
  readonly order: number;
  readonly method: string;
  /** The only message, which ends our side of the stream; null: messages follow, by `attach`. */
  readonly request: Uint8Array | null;
  /** Clock time, ms; Infinity where there is none. */
  readonly deadline: number;
  /** Clock time of sending, ms. */
  sentAt: number;
  /** It has its outcome. */
  readonly settled: boolean;
  /** Whether what came so far decides the outcome, should nothing more come. */
  readonly complete: boolean;
  /** It has its stream now. */
  attach(stream: BidiStream): void;
  /** So many messages that did not leave at once have left. */
  onSent(messages: number): void;
  /** The peer says GOAWAY: it finishes the call, and takes no new one on this connection. */
  onLeaving(): void;
  /** A peer did not look at it: makes it as new, to be sent once more. @returns false where it cannot be. */
  takeBack(): boolean;
  /** Ends the call with a status of our own. */
  stop(status: number, message: string, neverSent?: boolean): void;
  /** As `stop`, but not before this turn is over. */
  stopLater(status: number, message: string): void;
  /**
   * Response headers, or trailers.
   * @param httpStatus 0 where there is none, as in trailers.
   * @param encoding what compressed messages are compressed with.
   */
  receiveHeaders(
    httpStatus: number,
    contentType: string | undefined,
    grpcStatus: string | undefined,
    grpcMessage: string | undefined,
    encoding?: string,
  ): void;
  /** A part of the response body. The bytes are the call's to keep. */
  receiveData(chunk: Buffer): void;
  /** The peer ended the stream. */
  receiveEnd(): void;
  /** The peer reset the stream, after the whole answer or instead of it. */
  receiveReset(code: number): void;
  /** The connection that carried it is gone. */
  lose(reason: string, neverSent: boolean): void;
}

/** Whether a reset says that the peer did not look at the call (RFC 9113 section 8.7). */
export function unseen(call: CarriedCall, code: number): boolean {
  return code === Http2Code.REFUSED_STREAM && !call.complete;
}

/** Whoever keeps the books of calls. */
export interface CallOwner {
  /** Largest message received, bytes. */
  readonly maxMessageBytes: number;
  /** Whether there is a connection that the peer has agreed to. */
  readonly connected: boolean;
  /** The call has its outcome; called once, before the observer is told. */
  onSettled(call: CarriedCall): void;
}
