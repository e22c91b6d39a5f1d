import type { Cancel, Clock } from '../../../base/clock.js';

/** How long requests in flight may hold up a client whose time to go has come, ms. */
const PATIENCE_MS = 5_000;

/** What a departure asks of the client that owns it. */
export interface DepartureOwner {
  awaitsAnswers(): boolean;
  /** Leave the connection now. */
  depart(): void;
}

/**
 * The gateway asked the client to move: it drains. New requests wait; those in flight are answered
 * first where that does not take too long. The time that the gateway named spreads the clients.
 */
export class Departure {
  private goAt = -1;
  private cancel: Cancel | null = null;

  constructor(
    private readonly clock: Clock,
    private readonly owner: DepartureOwner,
  ) {}

  /** Whether the gateway asked, on this connection. */
  get told(): boolean {
    return this.goAt !== -1;
  }

  /** How long not to come back yet, ms. */
  get remaining(): number {
    return Math.max(0, this.goAt - this.clock.now());
  }

  /** @param delay when to go, ms from now. */
  begin(delay: number): void {
    if (this.told) return;
    this.goAt = this.clock.now() + delay;
    this.cancel = this.clock.after(delay, () => {
      this.cancel = this.clock.after(PATIENCE_MS, () => this.owner.depart());
      this.look();
    });
  }

  /** Requests may have been answered. */
  look(): void {
    if (this.told && this.remaining === 0 && !this.owner.awaitsAnswers()) this.owner.depart();
  }

  /** The connection is gone. */
  end(): void {
    this.cancel?.();
    this.cancel = null;
    this.goAt = -1;
  }
}
