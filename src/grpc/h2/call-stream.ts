import type { NumberMap } from '../../base/number-map.js';
import { RingQueue } from '../../base/ring-queue.js';
import type { BidiStream, CarriedCall } from '../carried-call.js';
import { Http2Code } from '../status-mapping.js';
import { ConnectionError } from './connection-error.js';
import { MAX_WINDOW } from './frames.js';

/** The connection of a stream, as the stream sees it. */
export interface StreamOwner {
  resetStream(stream: FramedStream, code: number): void;
  /** @returns whether the message has left at once. */
  sendOn(stream: FramedStream, message: Uint8Array): boolean;
  endStream(stream: FramedStream): void;
  /** Writes what was gathered in this turn. */
  flushNow(): void;
  /** The peer may send again as much as the stream has taken in. */
  creditStream(stream: FramedStream): void;
}

/** The stream of one call. */
export class FramedStream implements BidiStream {
  /** The message with its prefix, as far as the windows did not let it go. */
  unsent: Uint8Array | null = null;
  /** Whole messages behind it. */
  readonly behind = new RingQueue<Uint8Array>();
  /** What is unsent is the last of it. */
  ends: boolean;
  /** Bytes taken in that the peer was not given credit for. */
  owed = 0;
  paused = false;

  constructor(
    private readonly owner: StreamOwner,
    readonly id: number,
    readonly call: CarriedCall,
    /** What the peer takes on this stream, bytes; SETTINGS may make it negative. */
    public window: number,
  ) {
    this.ends = call.request !== null;
  }

  /** Whether our side of the stream is over. */
  get sentAll(): boolean {
    return this.ends && this.unsent === null;
  }

  /**
   * The peer changes the window.
   * @throws {ConnectionError} for a change of 0, and where it becomes larger than a window can be.
   */
  widen(change: number): void {
    this.window += change;
    if (change === 0 || this.window > MAX_WINDOW) {
      const reason = `a credit of ${change} makes a window of ${this.window}`;
      throw new ConnectionError(Http2Code.FLOW_CONTROL_ERROR, reason);
    }
  }

  write(message: Uint8Array): boolean {
    return this.owner.sendOn(this, message);
  }

  flush(): void {
    this.owner.flushNow();
  }

  end(): void {
    this.owner.endStream(this);
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.owner.creditStream(this);
  }

  close(code: number): void {
    this.owner.resetStream(this, code);
  }
}

/** All of these, in the order in which their calls were sent. */
export function inOrder(streams: NumberMap<FramedStream>): FramedStream[] {
  return [...streams.values()].sort((one, other) => one.id - other.id);
}
