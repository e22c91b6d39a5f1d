import type { Clock } from '../base/clock.js';
import type { JournalSource } from '../journal/journal.js';
import type { ConfirmationGate } from './confirmation-gate.js';
import type { Shipper } from './shipper.js';

/** What the standby has not confirmed. */
export interface Lag {
  /** Entries of the journal. */
  readonly frames: number;
  /** On their way or waiting for it; 0 without a stream, for then nothing counts them. */
  readonly bytes: number;
  /** Age of the oldest part without a confirmation; without a whole stream: since that was lost, ms. */
  readonly ms: number;
}

export const NO_LAG: Lag = Object.freeze({ frames: 0, bytes: 0, ms: 0 });

/**
 * How far the standby is behind, with a stream to it and without one. A lost stream, and a snapshot under
 * way, take nothing from what the standby holds: what its process confirmed before goes on counting.
 */
export class StandbyLag {
  /** Boot id of the standby that opened a stream last, 0 for none. */
  private boot = 0;
  /** What that process had confirmed on the streams before the present one. */
  private before = 0;
  /** Since when no whole stream leads to the standby; null: one does. */
  private lostAt: number | null;

  constructor(
    private readonly source: JournalSource,
    private readonly gate: ConfirmationGate,
    private readonly clock: Clock,
  ) {
    this.lostAt = clock.now();
  }

  /** Another role, no standby, or another process of it, which holds nothing yet. */
  forget(): void {
    this.boot = this.before = 0;
    this.lostAt = this.clock.now();
  }

  /** The standby has opened a stream. Before its Shipper is made. */
  opened(boot: number): void {
    if (boot !== this.boot) this.forget();
    this.before = this.boot === 0 ? 0 : this.confirmed;
    this.boot = boot;
    this.lostAt ??= this.clock.now();
  }

  /** The standby holds everything again but for what is on its way. */
  caughtUp(): void {
    this.lostAt = null;
  }

  /** The stream has ended. */
  lost(): void {
    this.lostAt ??= this.clock.now();
  }

  /** How long no whole stream has led to the standby, ms; null while one does. */
  get lostFor(): number | null {
    return this.lostAt === null ? null : this.clock.now() - this.lostAt;
  }

  /** @param shipper of the present stream, null without one. */
  of(shipper: Shipper | null): Lag {
    const { bytes, ms } = shipper?.lag ?? NO_LAG;
    const frames = Math.max(0, this.source.position - this.confirmed);
    return { frames, bytes, ms: this.lostFor ?? ms };
  }

  private get confirmed(): number {
    return Math.max(this.before, this.gate.confirmed);
  }
}
