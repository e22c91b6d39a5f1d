import type { Cancel, Clock } from '../../../base/clock.js';

/**
 * Cumulative acknowledgements, coalesced: however many frames arrive, at most one ACK leaves per
 * `delayMs`, with the highest number of them.
 */
export class AckScheduler {
  private received = 0;
  private acknowledged = 0;
  private cancel: Cancel | null = null;

  /**
   * @param delayMs longest time between a frame and its ACK, ms.
   * @param send sends an ACK up to a number; false where there is no room now (`flush` again later).
   */
  constructor(
    private readonly clock: Clock,
    private readonly delayMs: number,
    private readonly send: (seq: number) => boolean,
  ) {}

  /** A connection has started whose START acknowledged everything up to `seq`. */
  begin(seq: number): void {
    this.stop();
    this.received = this.acknowledged = seq;
  }

  /** The frame with this number (above 0) was received and handed on. */
  note(seq: number): void {
    if (seq > this.received) this.received = seq;
    if (this.received > this.acknowledged && this.cancel === null) {
      this.cancel = this.clock.after(this.delayMs, () => this.flush());
    }
  }

  /** Sends the ACK that is due, if any, now. */
  flush(): void {
    this.stop();
    if (this.received > this.acknowledged && this.send(this.received)) {
      this.acknowledged = this.received;
    }
  }

  /** Forgets the timer: the connection is gone. What was not acknowledged goes into the next START. */
  stop(): void {
    this.cancel?.();
    this.cancel = null;
  }
}
