import type { Cancel, Clock } from '../base/clock.js';

/** How long the answer to a ping may take, ms; what gRPC libraries allow by default. */
export const PING_TIMEOUT_MS = 20_000;

/** What a KeepAlive watches. */
export interface Pinged {
  /** Whether calls are under way; without any there is nothing to save. */
  readonly busy: boolean;
  /** Sends PING. @returns false where that is not possible now. */
  ping(): boolean;
  /** The peer does not answer. */
  onSilent(): void;
}

/**
 * Finds out that a peer is gone although the connection says nothing. It pings after a time of
 * silence, and when a call meets its deadline without a byte from the peer since it was sent, though
 * never twice within the same time unless something of an answer came in between: a Go server takes
 * pings for abuse that come more often than its headers and data do (grpc-go,
 * keepalive.EnforcementPolicy), and what answers a ping is neither.
 */
export class KeepAlive {
  private lastReceived: number;
  private lastPing = -Infinity;
  /** Whether headers or data came since the last ping. */
  private heardAnswer = false;
  private cancelWatch: Cancel | null = null;
  private cancelPing: Cancel | null = null;
  private stopped = false;

  constructor(
    private readonly target: Pinged,
    private readonly clock: Clock,
    private readonly intervalMs: number,
    private readonly pingTimeoutMs = PING_TIMEOUT_MS,
  ) {
    this.lastReceived = clock.now();
  }

  /** Bytes came. */
  received(): void {
    this.lastReceived = this.clock.now();
    if (this.cancelPing !== null) this.settlePing();
  }

  /** Headers or data of a call came. */
  answered(): void {
    this.heardAnswer = true;
  }

  /** A call was sent. */
  sent(): void {
    if (this.cancelWatch === null && !this.stopped) this.watch(this.intervalMs);
  }

  /** A call that was sent at `sentAt` met its deadline. */
  expired(sentAt: number): void {
    if (this.lastReceived <= sentAt) this.ping();
  }

  stop(): void {
    this.stopped = true;
    this.cancelWatch?.();
    this.settlePing();
  }

  private watch(delay: number): void {
    this.cancelWatch = this.clock.after(delay, () => {
      this.cancelWatch = null;
      if (!this.target.busy) return;
      const silence = this.clock.now() - this.lastReceived;
      if (silence >= this.intervalMs) this.ping();
      this.watch(
        Math.max(1, silence >= this.intervalMs ? this.intervalMs : this.intervalMs - silence),
      );
    });
  }

  private ping(): void {
    const now = this.clock.now();
    const tooSoon = !this.heardAnswer && now - this.lastPing < this.intervalMs;
    if (this.stopped || this.cancelPing !== null || tooSoon || !this.target.ping()) return;
    this.lastPing = now;
    this.heardAnswer = false;
    this.cancelPing = this.clock.after(this.pingTimeoutMs, () => {
      this.cancelPing = null;
      this.target.onSilent();
    });
  }

  private settlePing(): void {
    this.cancelPing?.();
    this.cancelPing = null;
  }
}
