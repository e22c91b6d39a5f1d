import { RingQueue } from '../base/ring-queue.js';
import type { Frame, PushBody } from '../wire/frame-encoder.js';
import { encodePushFrame, pushBodyOf } from '../wire/frame-encoder.js';
import type { NumberJump } from './number-jump.js';
import { PUSH_SHARE } from './options.js';
import type { OutboxTotal } from './outbox-total.js';
import { FRAME_COST_BYTES } from './push-cost.js';

/** One sequenced frame that the client has not acknowledged. */
export interface OutboxEntry {
  readonly seq: number;
  /** The request's msg_id for an answer, 0 for a push. */
  readonly msgId: number;
  /** Sequence number of the answered request, 0 for a push. */
  readonly clientSeq: number;
  readonly frame: Frame;
  /** When it was written to the present Link (monotonic ms). */
  sentAt: number;
  /** Of its entry in the journal; 0 where there is none. */
  position: number;
  /** A push that had waited elsewhere before: an earlier entry of the journal told of it first. */
  readonly moved: boolean;
}

export interface OutboxLimits {
  readonly outboxMaxFrames: number;
  readonly outboxMaxBytes: number;
}

/**
 * The sequenced frames of one incarnation, from the first unacknowledged one to the newest. Numbers
 * count up by one without a gap, but for a jump after a start that may have forgotten some; a cursor
 * marks how far the present Link has been served.
 */
export class Outbox {
  private readonly entries = new RingQueue<OutboxEntry>();
  private frameBytes = 0;
  private written = 0;
  private next: number;
  private highestWritten: number;
  private highestAcknowledged: number;
  private jumped: NumberJump | null = null;
  /** Frames that wait outside (AFTER pushes, pushes before login) but count in the limits. */
  private waitingFrames = 0;
  private waitingBytes = 0;

  /**
   * @param firstSeq number of the first frame that will be appended.
   * @param total what it holds counts there too, with its cost, until it is emptied.
   */
  constructor(
    readonly firstSeq: number,
    private readonly limits: OutboxLimits,
    private readonly total: OutboxTotal,
  ) {
    this.next = firstSeq;
    this.highestWritten = this.highestAcknowledged = firstSeq - 1;
  }

  get length(): number {
    return this.entries.length;
  }

  /** Number of the next frame to be appended. */
  get nextSeq(): number {
    return this.next;
  }

  /** Highest number ever given to a Link; one below `firstSeq` while there was none. */
  get highestSent(): number {
    return this.highestWritten;
  }

  /** Highest number acknowledged; one below `firstSeq` while there was none. */
  get acknowledged(): number {
    return this.highestAcknowledged;
  }

  /** Number of the next frame that will go to the present Link. */
  get nextToSend(): number {
    return this.entries.at(this.written)?.seq ?? this.next;
  }

  /** Whether a push of this size may still enter: pushes fill 90 %. */
  hasRoomForPush(bytes: number): boolean {
    return (
      this.totalFrames + 1 <= Math.floor(this.limits.outboxMaxFrames * PUSH_SHARE) &&
      this.totalBytes + bytes <= this.limits.outboxMaxBytes * PUSH_SHARE
    );
  }

  /** Whether it is at or above its limits, waiting frames counted but for these of them. */
  isFull(uncountedFrames: number, uncountedBytes: number): boolean {
    return (
      this.totalFrames - uncountedFrames >= this.limits.outboxMaxFrames ||
      this.totalBytes - uncountedBytes >= this.limits.outboxMaxBytes
    );
  }

  /** Frames and bytes held for the client, waiting ones included. */
  get totalFrames(): number {
    return this.entries.length + this.waitingFrames;
  }

  get totalBytes(): number {
    return this.frameBytes + this.waitingBytes;
  }

  /** Counts a frame that waits outside; `release` takes it back. */
  reserve(bytes: number): void {
    this.waitingFrames++;
    this.waitingBytes += bytes;
    this.total.bytes += FRAME_COST_BYTES + bytes;
  }

  release(bytes: number): void {
    this.waitingFrames--;
    this.waitingBytes -= bytes;
    this.total.bytes -= FRAME_COST_BYTES + bytes;
  }

  /** Numbers and keeps a frame. Whether it fits was the caller's question: answers may exceed the limits. */
  append(msgId: number, clientSeq: number, body: PushBody, moved = false): OutboxEntry {
    const seq = this.next++;
    const frame = encodePushFrame(msgId, seq, body);
    const entry = { seq, msgId, clientSeq, frame, sentAt: 0, position: 0, moved };
    this.keep(entry);
    return entry;
  }

  /** Frames that the present Link was not given. */
  get unwritten(): number {
    return this.entries.length - this.written;
  }

  /** The next frame for the present Link, or undefined when everything is written. */
  peekUnsent(): OutboxEntry | undefined {
    return this.entries.at(this.written);
  }

  /** The frame of `peekUnsent` was taken by the Link. */
  markSent(entry: OutboxEntry, now: number): void {
    entry.sentAt = now;
    this.written++;
    if (entry.seq > this.highestWritten) this.highestWritten = entry.seq;
  }

  /** A new Link starts from the first unacknowledged frame. */
  rewind(): void {
    this.written = 0;
  }

  /** The oldest frame that is on the present Link and not acknowledged. */
  oldestSent(): OutboxEntry | undefined {
    return this.written > 0 ? this.entries.at(0) : undefined;
  }

  /** Bytes of the frames that the present Link was given behind the oldest one. */
  sentBehindOldest(): number {
    let bytes = 0;
    for (let index = 1; index < this.written; index++) {
      bytes += this.entries.at(index)?.frame.length ?? 0;
    }
    return bytes;
  }

  /**
   * Forgets everything up to and with `seq`, which must not be above `highestSent`.
   * @param onAnswer called with the client sequence of each acknowledged answer.
   */
  acknowledge(seq: number, onAnswer: (clientSeq: number) => void): void {
    for (;;) {
      const oldest = this.entries.at(0);
      if (oldest === undefined || oldest.seq > seq) return;
      this.entries.shift();
      this.highestAcknowledged = oldest.seq;
      this.frameBytes -= oldest.frame.length;
      this.total.bytes -= FRAME_COST_BYTES + oldest.frame.length;
      if (this.written > 0) this.written--;
      if (oldest.clientSeq !== 0) onAnswer(oldest.clientSeq);
    }
  }

  /**
   * Empties it, waiting frames too; the numbers stay.
   * @returns the bodies of all unacknowledged pushes in order: what moves into a new incarnation.
   */
  takePushes(): PushBody[] {
    const bodies: PushBody[] = [];
    for (const entry of this.entries)
      if (entry.clientSeq === 0) bodies.push(pushBodyOf(entry.frame));
    this.total.bytes -= this.totalFrames * FRAME_COST_BYTES + this.totalBytes;
    this.entries.clear();
    this.frameBytes = this.waitingFrames = this.waitingBytes = this.written = 0;
    return bodies;
  }

  private keep(entry: OutboxEntry): void {
    this.entries.push(entry);
    this.frameBytes += entry.frame.length;
    this.total.bytes += FRAME_COST_BYTES + entry.frame.length;
  }

  /** Unacknowledged entries in order, for a snapshot. */
  [Symbol.iterator](): IterableIterator<OutboxEntry> {
    return this.entries[Symbol.iterator]();
  }

  /** The last jump of its numbers, or null. */
  get jump(): NumberJump | null {
    return this.jumped;
  }

  /** The next frame has number `seq`: the ones below may have been sent, but are forgotten. */
  jumpTo(seq: number): void {
    // Nothing was numbered since the last jump: both are one.
    const from = this.jumped?.to === this.next ? this.jumped.from : this.next;
    this.jumped = { from, to: seq };
    this.next = seq;
  }

  /** Puts back what a snapshot kept. Frames come in order. */
  restore(
    entries: Iterable<OutboxEntry>,
    nextSeq: number,
    highestSent: number,
    jump: NumberJump | null,
  ): void {
    for (const entry of entries) this.keep(entry);
    this.next = nextSeq;
    this.highestWritten = highestSent;
    this.jumped = jump;
    const oldest = this.entries.at(0)?.seq ?? nextSeq;
    // What was jumped over was never sent by anyone known, and so not acknowledged either.
    this.highestAcknowledged = (jump?.to === oldest ? jump.from : oldest) - 1;
  }
}
