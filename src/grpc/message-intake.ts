import { MessageAssembler } from './message-assembler.js';
import type { AssembledMessages } from './message-assembler.js';

/**
 * What is kept comes in pieces of at least so many bytes, but for the last: flow control bounds bytes alone, and a
 * piece takes memory of its own.
 */
const MIN_PIECE_BYTES = 1_024;

/** Hears of the messages of a stream that can be paused. */
export interface IntakeSink extends Omit<AssembledMessages, 'onMessage'> {
  onMessage(message: Buffer, compressed: boolean): void;
  /** All that came before it was told. @param whole whether the bytes end between two messages. */
  onEnd(whole: boolean): void;
}

/** The messages of one direction of a stream. What comes while reading is paused is kept, and its end with it. */
export class MessageIntake implements AssembledMessages {
  readonly maxMessageBytes: number;
  /** Whether messages are kept rather than told. */
  paused = false;
  private closed = false;
  private held: Buffer[] = [];
  private endHeld = false;
  private readonly assembler = new MessageAssembler(this);

  constructor(private readonly sink: IntakeSink) {
    this.maxMessageBytes = sink.maxMessageBytes;
  }

  get takesCompressed(): boolean {
    return this.sink.takesCompressed;
  }

  /** A part of the stream. The bytes are the intake's to keep. */
  receive(chunk: Buffer): void {
    if (this.closed) return;
    if (this.paused) {
      this.hold(chunk);
      return;
    }
    const used = this.assembler.take(chunk);
    if (used < chunk.length && !this.closed) this.hold(chunk.subarray(used));
  }

  private hold(chunk: Buffer): void {
    if (chunk.length === 0) return;
    const { held } = this;
    const last = held.at(-1);
    if (last === undefined || last.length >= MIN_PIECE_BYTES) held.push(chunk);
    else held[held.length - 1] = Buffer.concat([last, chunk]);
  }

  /** Nothing more comes. */
  end(): void {
    if (this.closed) return;
    if (this.paused && this.held.length > 0) this.endHeld = true;
    else this.sink.onEnd(this.assembler.whole);
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    const held = this.held;
    this.held = [];
    for (const chunk of held) this.receive(chunk);
    if (this.endHeld && !this.paused && !this.closed) this.sink.onEnd(this.assembler.whole);
  }

  /** Tells what is kept although reading is paused: the stream broke behind it. */
  deliverHeld(): void {
    for (const chunk of this.held.splice(0)) {
      for (let at = 0; at < chunk.length && !this.closed;) {
        at += this.assembler.take(chunk.subarray(at));
      }
    }
  }

  /** Nothing is told any more. */
  close(): void {
    this.closed = true;
    this.held = [];
  }

  onMessage(message: Buffer, compressed: boolean): boolean {
    this.sink.onMessage(message, compressed);
    return !this.paused && !this.closed;
  }

  onUnusable(tooLarge: boolean, reason: string): void {
    this.sink.onUnusable(tooLarge, reason);
  }
}
