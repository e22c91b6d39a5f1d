import type { TurnPace } from '../base/turn-pace.js';

/** Requests in a line that goes on when dispatching may. */
export interface HeldLine {
  pump(): void;
}

/**
 * Holds back dispatches while this gateway may not serve (REPLICATION.md: the lease is checked at every
 * dispatch), and lets the lines that stood still go on afterwards. Asking costs no object per request.
 */
export class DispatchHold {
  private readonly lines = new Set<HeldLine>();
  private waiting = false;
  private readonly look = (): void => {
    this.waiting = false;
    if (this.lines.size === 0) return;
    if (this.pace.mayRun()) this.release();
    else this.waitOn();
  };

  constructor(private readonly pace: TurnPace) {}

  /** @returns whether nothing may be dispatched at this instant; then this line is pumped when something may. */
  holds(line: HeldLine): boolean {
    if (this.pace.mayRun()) return false;
    this.lines.add(line);
    this.waitOn();
    return true;
  }

  /** Lines that stand still go on now. */
  release(): void {
    const held = [...this.lines];
    this.lines.clear();
    for (const line of held) line.pump();
  }

  private waitOn(): void {
    if (this.waiting) return;
    this.waiting = true;
    this.pace.wait(this.look);
  }
}
