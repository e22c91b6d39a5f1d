import type { Clock } from '../../../base/clock.js';
import type { ServerPush } from '../../../wire/client-messages.js';
import { PushType } from '../../../wire/client-messages.js';
import { Acknowledger } from './acknowledger.js';
import type { KeepSettled } from './acknowledger.js';
import type { ClientEvents, Notice } from './client-events.js';
import type { AckMode } from './delivery.js';
import { PushGapError } from './errors.js';
import type { EventEmitter } from './events.js';
import { Inbox } from './inbox.js';
import type { InboxOwner } from './inbox.js';
import type { Push } from './payload.js';
import type { PendingRequest } from './pending-request.js';
import type { PendingRequests } from './pending-requests.js';
import { PushIntake } from './push-intake.js';
import type { IntakeLimits, IntakeOwner } from './push-intake.js';
import type { PushIterator, PushesOptions } from './push-iterator.js';
import { PushSequence } from './push-sequence.js';
import { ReadingGate } from './reading-gate.js';
import type { GateOwner } from './reading-gate.js';

export interface DownstreamOptions extends IntakeLimits {
  readonly clock: Clock;
  readonly ackDelayMs: number;
  readonly ack: AckMode;
}

/** What the downstream side asks of the client that owns it. */
export interface DownstreamOwner extends GateOwner {
  /** False where there is no room now. */
  sendAck(seq: number): boolean;
  /** Frames are missing on this connection: a resume brings them. */
  replay(): void;
  onNotice(notice: Notice): void;
  /** @param waiting pushes that the application has not taken, this one included. */
  onPushArrived(push: Push, waiting: number): void;
  /** @param wait ms that the gateway asks to wait. */
  onPassingRefusal(request: PendingRequest, error: Error, wait: number): void;
  onMisnumbered(reason: string): void;
}

/**
 * The downstream side of a session (docs/SESSIONS.md, "Downstream: answers and pushes"): frames are put into
 * their sequence, answers find their request, pushes the application, and what the application has taken
 * is acknowledged.
 */
export class Downstream implements InboxOwner, IntakeOwner {
  private readonly sequence = new PushSequence();
  private readonly acks: Acknowledger;
  private readonly inbox: Inbox;
  private readonly intake: PushIntake;
  private readonly gate: ReadingGate;

  /** @param keep keeps numbers over a restart of the process before they are acknowledged; null: nobody. */
  constructor(
    options: DownstreamOptions,
    private readonly events: EventEmitter<ClientEvents>,
    requests: PendingRequests,
    private readonly owner: DownstreamOwner,
    keep: KeepSettled | null,
  ) {
    const { clock, ackDelayMs, ack } = options;
    this.acks = new Acknowledger(clock, ackDelayMs, (seq) => owner.sendAck(seq), keep);
    this.inbox = new Inbox(requests, this);
    this.intake = new PushIntake(ack, options, events, this);
    this.gate = new ReadingGate(clock, owner);
  }

  /** last_acked_seq_id of the next START: up to here the application has everything. */
  get claim(): number {
    return this.acks.claim;
  }

  /** Everything up to this number is settled; `claim` may lag behind. */
  get settled(): number {
    return this.acks.settled;
  }

  /** The highest number that was received. */
  get received(): number {
    return this.sequence.highest;
  }

  /** Pushes that wait for the application. */
  get waiting(): number {
    return this.intake.waiting;
  }

  /** A former process of this client had taken everything up to this number. */
  restore(seq: number): void {
    this.sequence.restore(seq);
    this.acks.restart(seq);
  }

  /** A connection has started whose START claimed `claimed`. */
  begin(nextPushSeq: number, resumed: boolean, claimed: number): void {
    this.sequence.begin(nextPushSeq, resumed);
    if (resumed) this.acks.begin(claimed);
    else this.acks.restart(this.sequence.highest);
    this.gate.begin(this.intake.full);
  }

  /** The connection is gone. */
  lost(): void {
    this.acks.stop();
    this.gate.end();
  }

  /** Requests may have been written. */
  watchAnswers(): void {
    this.gate.watch();
  }

  flushAcks(): void {
    this.acks.flush();
  }

  iterate(options: PushesOptions): PushIterator {
    return this.intake.iterate(options);
  }

  /**
   * Takes a frame behind START_RESP; its bytes are valid only during the call.
   * @throws {Error} where its payload does not parse.
   */
  accept(frame: ServerPush): void {
    const { seqId } = frame;
    const isPush = frame.type === PushType.PUSH_BUSINESS_DATA && frame.msgId === 0;
    if (isPush && this.leavesPush(seqId)) return;
    // Behind a push that was left only answers are of use; the resume brings the rest in order.
    if (seqId > 0 && this.gate.hasLeft) {
      this.inbox.deliver(frame);
      return;
    }
    if (seqId > 0 && !this.inSequence(seqId)) return;
    try {
      this.inbox.deliver(frame);
    } finally {
      if (seqId > 0 && !isPush) this.acks.pass(seqId);
    }
  }

  /** The client ends. @param error why, where it was not the application's wish. */
  end(error: Error | null): void {
    this.inbox.flush();
    this.intake.end(error);
    this.acks.end();
    this.gate.end();
  }

  onPush(push: Push): () => void {
    const open = push.seq > 0 ? this.acks.receive(push.seq) : null;
    const settled = (): void => {
      if (open !== null) this.acks.settle(open);
    };
    const delivery = this.intake.arrive(push, settled);
    this.owner.onPushArrived(push, this.intake.waiting);
    if (this.intake.full) this.gate.filled();
    return () => this.intake.deliver(delivery);
  }

  onTaken(): void {
    this.gate.taken(this.intake.roomy);
  }

  onNotice(notice: Notice): void {
    this.owner.onNotice(notice);
  }

  onPassingRefusal(request: PendingRequest, error: Error, wait: number): void {
    this.owner.onPassingRefusal(request, error, wait);
  }

  onMisnumbered(reason: string): void {
    this.owner.onMisnumbered(reason);
  }

  /** Whether a push is not taken for lack of room: best-effort ones are lost then, others come again. */
  private leavesPush(seq: number): boolean {
    if (seq === 0) return this.intake.full;
    if (this.gate.hasLeft) return true;
    if (!this.gate.leaves || !this.intake.full || seq <= this.sequence.highest) return false;
    this.gate.leave();
    return true;
  }

  private inSequence(seq: number): boolean {
    const { expected } = this.sequence;
    const arrival = this.sequence.accept(seq);
    if (arrival !== 'gap') return arrival === 'deliver';
    const willReplay = this.sequence.mayRecover(seq);
    this.events.emit('error', new PushGapError(expected, seq, willReplay));
    if (willReplay) this.owner.replay();
    return !willReplay;
  }
}
