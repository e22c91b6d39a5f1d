import type { WheelTimer } from '../base/timer-wheel.js';
import { ErrorCode } from '../wire/error-catalogue.js';
import type { Outbox, OutboxEntry } from './outbox.js';
import type { SessionChannel } from './session-channel.js';
import type { SessionEnvironment } from './session-environment.js';

/** The part of a session that its deadlines look at. */
export interface DeadlineOwner {
  readonly id: string;
  readonly outbox: Outbox;
  readonly currentChannel: SessionChannel | null;
  readonly lastFrameAt: number;
}

/** The deadlines of one session: session_timeout, resume_window, and how late acknowledgements may come. */
export class SessionDeadlines {
  private detachedAt: number;
  /** Reading is paused by us, or was until then: what the client says meanwhile is not heard. */
  private deaf = false;
  private hearingSince = -Infinity;
  /** Bytes of an incomplete frame of the client at the last look. */
  private partBytes = 0;
  /** The oldest frame at the last look, and how much of it the transport had not taken: a large one, a slow path. */
  private leaving = { seq: 0, bytes: 0 };
  /** When more of that frame had left than at the look before. */
  private leftAt = -Infinity;
  private readonly timer: WheelTimer;

  constructor(
    private readonly owner: DeadlineOwner,
    private readonly environment: SessionEnvironment,
  ) {
    this.detachedAt = environment.clock.now();
    this.timer = environment.wheel.timer(() => this.onTimer());
  }

  /** One timer serves all deadlines: it looks, acts, and comes back at the earliest next one. */
  attached(): void {
    const { sessionTimeout, ackTimeout } = this.environment.options;
    this.timer.arm(Math.min(sessionTimeout, ackTimeout || Infinity));
  }

  /** Whether reading pauses: time in which the client cannot be heard does not count against it. */
  deafen(deaf: boolean): void {
    if (deaf === this.deaf) return;
    this.deaf = deaf;
    this.hearingSince = this.environment.clock.now();
  }

  detached(): void {
    this.detachedAt = this.environment.clock.now();
    this.timer.arm(this.environment.options.resumeWindow);
  }

  ended(): void {
    this.timer.disarm();
  }

  private get ackLimit(): number {
    const { ackTimeout, maxRetries } = this.environment.options;
    return ackTimeout > 0 ? ackTimeout * (maxRetries + 1) : Infinity;
  }

  private onTimer(): void {
    const { owner } = this;
    const { clock, options } = this.environment;
    const channel = owner.currentChannel;
    const now = clock.now();
    if (channel !== null && this.deaf) return this.attached();
    this.listen(channel?.link.partBytes ?? 0, now);
    const deadline =
      channel === null
        ? this.detachedAt + options.resumeWindow
        : Math.max(owner.lastFrameAt, this.hearingSince) + options.sessionTimeout;
    if (now >= deadline) {
      this.environment.onExpired(owner.id);
      return;
    }
    this.timer.arm(Math.min(deadline - now, this.ackLimit));
    const oldest = owner.outbox.oldestSent();
    if (channel === null || oldest === undefined) return;
    if (channel.link.bufferedBytes > 0 || this.leaving.bytes > 0) this.follow(oldest, channel, now);
    const since = Math.max(oldest.sentAt, this.hearingSince, this.leftAt);
    const left = since + this.ackLimit - now;
    if (left <= 0) channel.drop(ErrorCode.AckTimeout, 'acknowledgements come too late');
    else this.timer.armWithin(left);
  }

  /** Nothing of the client can overtake a large frame that it sends over a slow path: while that grows it is heard. */
  private listen(partBytes: number, now: number): void {
    if (partBytes > 0 && partBytes !== this.partBytes) this.hearingSince = now;
    this.partBytes = partBytes;
  }

  /**
   * A client cannot acknowledge what is still on its way to it: as long as some of the oldest frame leaves from one
   * look to the next, its time has not begun. One that takes nothing in is late as ever.
   */
  private follow(oldest: OutboxEntry, channel: SessionChannel, now: number): void {
    const { seq, frame } = oldest;
    const waiting = channel.link.bufferedBytes - this.owner.outbox.sentBehindOldest();
    const bytes = Math.min(Math.max(0, waiting), frame.length);
    const before = this.leaving.seq === seq ? this.leaving.bytes : frame.length;
    this.leaving = { seq, bytes };
    if (bytes < before && (bytes > 0 || before < frame.length)) this.leftAt = now;
    if (bytes > 0) this.timer.armWithin(this.environment.options.ackTimeout);
  }
}
