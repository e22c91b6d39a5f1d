import { RingQueue } from '../base/ring-queue.js';

/** At so much the writer is asked to wait: enough to keep a fast connection busy. */
const HIGH_WATER = { messages: 1_000, bytes: 1_048_576 } as const;
/** Below this share it may go on; in between nothing changes, so that it does not flicker. */
const LOW_WATER_SHARE = 0.5;
/** A writer that does not wait, and a peer that does not read: the call ends. */
const MAX_QUEUED_BYTES = 64 * 1_048_576;

/** Counts what waits in one direction of a stream, and says when its writer has to wait. */
export class WriteGate {
  bytes = 0;
  /** Sizes of the messages that wait where only their number is told when they leave. */
  private readonly waiting = new RingQueue<number>();
  private messages = 0;
  private shut = false;

  /**
   * @param maxBytes largest message that may be written.
   * @param what a message is called where it is refused.
   */
  constructor(
    private readonly maxBytes = Infinity,
    private readonly what = 'message',
  ) {}

  /** Why a message of this size may not be queued (RESOURCE_EXHAUSTED), or null. */
  refusal(bytes: number): string | null {
    if (bytes > this.maxBytes) {
      return `a ${this.what} of ${bytes} bytes, the limit is ${this.maxBytes}`;
    }
    if (this.bytes + bytes > MAX_QUEUED_BYTES) return 'more is queued than a call may hold';
    return null;
  }

  /** A message was queued. @returns whether the writer may go on. */
  enter(bytes: number): boolean {
    this.bytes += bytes;
    this.messages++;
    this.shut ||= this.messages >= HIGH_WATER.messages || this.bytes >= HIGH_WATER.bytes;
    return !this.shut;
  }

  /** A message has left. @returns whether a writer that was asked to wait may go on now. */
  leave(bytes: number): boolean {
    this.bytes -= bytes;
    this.messages--;
    if (!this.shut) return false;
    this.shut =
      this.messages > HIGH_WATER.messages * LOW_WATER_SHARE ||
      this.bytes > HIGH_WATER.bytes * LOW_WATER_SHARE;
    return !this.shut;
  }

  /** A message was given to its stream. @param left whether it has left; else `leaveNext` lets it. */
  given(bytes: number, left: boolean): void {
    if (left) this.leave(bytes);
    else this.waiting.push(bytes);
  }

  /** The oldest messages that wait have left. @returns as `leave`. */
  leaveNext(messages: number): boolean {
    let drained = false;
    for (let count = 0; count < messages; count++) {
      drained = this.leave(this.waiting.shift() ?? 0) || drained;
    }
    return drained;
  }
}
