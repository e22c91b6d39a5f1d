import type { Cancel, Clock } from '../../../base/clock.js';

/**
 * How long answers may wait behind pushes that nobody takes, ms. A consumer that is only slow takes
 * one within this time, and its answers come in their turn.
 */
const STALL_MS = 1_000;

/** What a gate asks of the client that owns it. */
export interface GateOwner {
  pauseReading(): void;
  resumeReading(): void;
  awaitsAnswers(): boolean;
  /** Pushes were left at the gateway, and there is room for them: a resume brings them. */
  fetchWhatWasLeft(): void;
}

/**
 * Keeps memory bounded while the application takes pushes more slowly than they come. Reading pauses
 * when the intake is full, so that flow control holds the gateway. But answers come on the same
 * stream: when the application awaits some and takes no push for STALL_MS, reading goes on and
 * pushes are left: not kept, not acknowledged, so the gateway keeps them, and a resume brings them
 * once there is room.
 */
export class ReadingGate {
  private state: 'reading' | 'paused' | 'leaving' = 'reading';
  private left = false;
  private cancelStall: Cancel | null = null;

  constructor(
    private readonly clock: Clock,
    private readonly owner: GateOwner,
  ) {}

  /** Whether pushes that do not fit are left at the gateway. */
  get leaves(): boolean {
    return this.state === 'leaving';
  }

  /** Whether some were: what follows on this connection is out of sequence. */
  get hasLeft(): boolean {
    return this.left;
  }

  /** A connection has started. */
  begin(full: boolean): void {
    this.end();
    if (full) this.filled();
  }

  /** The connection is gone. */
  end(): void {
    this.cancelStall?.();
    this.cancelStall = null;
    this.state = 'reading';
    this.left = false;
  }

  /** The intake is full. */
  filled(): void {
    if (this.state !== 'reading') return;
    this.state = 'paused';
    this.owner.pauseReading();
    this.watch();
  }

  /** The application took a push. @param roomy whether there is room for many more. */
  taken(roomy: boolean): void {
    this.cancelStall?.();
    this.cancelStall = null;
    if (!roomy) this.watch();
    else if (this.state === 'paused') this.goOn();
    else if (this.state === 'leaving') this.stopLeaving();
  }

  /** Requests may have been written. */
  watch(): void {
    if (this.state !== 'paused' || this.cancelStall !== null || !this.owner.awaitsAnswers()) return;
    this.cancelStall = this.clock.after(STALL_MS, () => {
      this.cancelStall = null;
      if (this.state !== 'paused' || !this.owner.awaitsAnswers()) return;
      this.state = 'leaving';
      this.owner.resumeReading();
    });
  }

  /** A push does not fit and was not taken. */
  leave(): void {
    this.left = true;
  }

  private goOn(): void {
    this.state = 'reading';
    this.owner.resumeReading();
  }

  private stopLeaving(): void {
    this.state = 'reading';
    if (this.left) this.owner.fetchWhatWasLeft();
  }
}
