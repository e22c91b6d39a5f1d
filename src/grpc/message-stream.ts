/**
 * One end of a bidirectional call, on either side: messages out by `write`, messages in through the
 * other party's `onMessage`, in order, both ways under flow control.
 */
export interface MessageStream {
  /**
   * Takes one message; its bytes are not changed by anyone until the call is over.
   * @returns whether to go on. After false the writer waits for `onDrain`; one that goes on all the
   * same loses the call (RESOURCE_EXHAUSTED) at MAX_QUEUED_BYTES. Once the call is over, or this end of it,
   * messages are dropped and the answer is always false.
   */
  write(message: Uint8Array): boolean;
  /** Bytes written that have not left yet. */
  readonly queuedBytes: number;
  /** No `onMessage` from now on, but for what was read already; the peer's writes come to a stand. */
  pause(): void;
  resume(): void;
}

/** Who follows a bidirectional call that this process made. Nothing is called from within `open`. */
export interface StreamObserver {
  /** The peer has accepted the call; at the latest with its first message. */
  onOpen?(): void;
  /** The call has got its connection, where it had none when `open` returned (ClientStream.connected). */
  onConnected?(): void;
  onMessage(message: Uint8Array): void;
  /** What was written has mostly left: `write` may go on. */
  onDrain?(): void;
  /**
   * The peer goes away (GOAWAY): it finishes this call if it is ended soon, and takes no new one on this
   * connection. grpc-js does not tell that from a connection that is lost: then `onClosed` follows.
   */
  onLeaving?(): void;
  /** The call is over, whatever the reason; called exactly once, and last. */
  onClosed(end: StreamEnd): void;
}

/** How a bidirectional call ended. */
export interface StreamEnd {
  /** A gRPC status code; OK where the peer ended it in good order. */
  readonly status: number;
  /** One line for logs; may name addresses and may be the peer's own text. */
  readonly message: string;
  /** True only where nothing of the call surely reached the peer. */
  readonly neverSent: boolean;
}

/** This process's end of a call that it made. */
export interface ClientStream extends MessageStream {
  /** Whether what is written may reach the peer; false while the connection is still being made. */
  readonly connected: boolean;
  /** Writes nothing more; what the peer still says is heard. Idempotent. */
  end(): void;
  /** Hands what was written to the system now, rather than at the end of the turn, where that makes a difference. */
  flush?(): void;
  /** Ends the call at once, with CANCELLED; what is queued is dropped. Idempotent. */
  cancel(): void;
}

/** Makes bidirectional calls to one address over the channel of a caller. */
export interface StreamOpener {
  /** Largest message sent or received, bytes; a larger one ends its call. */
  readonly maxMessageBytes: number;
  /**
   * Never throws: what is wrong comes through `onClosed`. A stream that was lost is not made again by
   * itself; opened anew while the peer is away it fails with `neverSent`.
   * @param method full path, `/package.Service/Method`.
   */
  open(method: string, observer: StreamObserver): ClientStream;
}
