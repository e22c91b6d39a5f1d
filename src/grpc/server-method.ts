/** One unary method, bytes in and bytes out. */
export interface UnaryMethod {
  /** Full path, `/package.Service/Method`. */
  readonly path: string;
  /** Whether callers must give the server's secret, where it has one. Default: no. */
  readonly guarded?: boolean;
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
export interface ResponseStream {
  /** Queues one message; false where the call is over, or too much is queued for a slow reader. */
  send(response: Uint8Array): boolean;
  /** Ends the call with a gRPC status; OK by default. */
  end(status?: number, message?: string): void;
}

/** One call of a streaming method, as its server sees it. */
export interface StreamCall {
  onMessage(request: Uint8Array): void;
  /** The caller sends nothing more. */
  onHalfClose(): void;
  /** The call is over, for whatever reason; the last call. */
  onClosed(): void;
}

/** One method with a stream of messages in either or both directions. */
export interface StreamMethod {
  readonly path: string;
  readonly guarded?: boolean;
  open(responses: ResponseStream, peer: string): StreamCall;
}
