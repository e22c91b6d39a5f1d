import type { NumberMap } from '../../base/number-map.js';
import { RingQueue } from '../../base/ring-queue.js';
import type { BidiStream } from '../carried-call.js';
import { Http2Code } from '../status-mapping.js';
import { ConnectionError } from './connection-error.js';
import { MAX_WINDOW } from './frames.js';

/** The call on a stream, as far as sending concerns it. */
export interface StreamUser {
  /** So many messages that did not leave at once have left. */
  onSent(messages: number): void;
}

/** The connection of a stream, as the stream sees it. */
export interface StreamOwner<User extends StreamUser> {
  resetStream(stream: FramedStream<User>, code: number): void;
  /** @returns whether the message has left at once. */
  sendOn(stream: FramedStream<User>, message: Uint8Array): boolean;
  endStream(stream: FramedStream<User>): void;
  /** Writes what was gathered in this turn. */
  flushNow(): void;
  /** The peer may send again as much as the stream has taken in. */
  creditStream(stream: FramedStream<User>): void;
}

/** The stream of one call, on either side. */
export class FramedStream<User extends StreamUser> implements BidiStream {
  /** The message with its prefix, as far as the windows did not let it go. */
  unsent: Uint8Array | null = null;
  /** Whole messages behind it; most streams never have any. */
  behind: RingQueue<Uint8Array> | null = null;
  /** Bytes taken in that the peer was not given credit for. */
  owed = 0;
  paused = false;

  constructor(
    private readonly owner: StreamOwner<User>,
    readonly id: number,
    readonly call: User,
    /** What the peer takes on this stream, bytes; SETTINGS may make it negative. */
    public window: number,
    /** What is unsent is the last of it. */
    public ends: boolean,
  ) {}

  /** Whether our side of the stream is over. */
  get sentAll(): boolean {
    return this.ends && this.unsent === null;
  }

  /** Keeps a message with its prefix until the windows let it go. */
  keep(message: Uint8Array): void {
    if (this.unsent === null) this.unsent = message;
    else (this.behind ??= new RingQueue()).push(message);
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

/** All of these, in the order in which their calls began. */
export function inOrder<User extends StreamUser>(
  streams: NumberMap<FramedStream<User>>,
): FramedStream<User>[] {
  return [...streams.values()].sort((one, other) => one.id - other.id);
}
