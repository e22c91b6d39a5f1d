import type { TimerWheel, WheelTimer } from '../base/timer-wheel.js';

/** How a peer's silence is found out, ms. */
export interface LivenessOptions {
  /** From one ping to the next. */
  readonly interval: number;
  /** How long a peer may send nothing at all after a ping; below the interval. */
  readonly limit: number;
}

/** What liveness asks of a connection. */
export interface Pinged {
  /** Bytes that ever came from the peer. */
  readonly bytesRead: number;
  /** Whether this side leaves the peer's bytes unread at the moment, a pong among them. */
  readonly readingHeld: boolean;
  ping(): void;
  /** Nothing came for `limit` ms after a ping. */
  onSilence(): void;
}

/**
 * Pings a peer and finds out that it is gone. Any byte counts as a pong: one on its way behind a
 * large message must not cost a slow peer its connection. One ping is under way at most.
 */
export class Liveness {
  private readonly timer: WheelTimer;
  private awaiting = false;
  private bytesAtPing = 0;

  constructor(
    wheel: TimerWheel,
    private readonly peer: Pinged,
    private readonly options: LivenessOptions,
  ) {
    this.timer = wheel.timer(() => this.onTimer());
    this.timer.arm(options.interval);
  }

  stop(): void {
    this.timer.disarm();
  }

  private onTimer(): void {
    const { interval, limit } = this.options;
    if (!this.awaiting) {
      this.awaiting = true;
      this.bytesAtPing = this.peer.bytesRead;
      this.peer.ping();
      this.timer.arm(limit);
    } else if (this.peer.bytesRead === this.bytesAtPing && !this.peer.readingHeld) {
      this.peer.onSilence();
    } else {
      this.awaiting = false;
      this.timer.arm(interval - limit);
    }
  }
}
