import type { CallStream, UnaryCall } from '../unary-call.js';

/** The connection of a stream, as the stream sees it. */
export interface StreamOwner {
  resetStream(stream: FramedStream, code: number): void;
}

/** The stream of one call. */
export class FramedStream implements CallStream {
  /** The message with its prefix, as far as the windows did not let it go. */
  unsent: Uint8Array | null = null;
  /** Bytes taken in that the peer was not given credit for. */
  owed = 0;

  constructor(
    private readonly owner: StreamOwner,
    readonly id: number,
    readonly call: UnaryCall,
    /** What the peer takes on this stream, bytes; SETTINGS may make it negative. */
    public window: number,
  ) {}

  close(code: number): void {
    this.owner.resetStream(this, code);
  }
}
