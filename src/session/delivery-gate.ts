import type { JournalWriter } from '../journal/journal-writer.js';
import type { ThresholdWaiter } from '../journal/threshold.js';

/** Holds the frames of one session back until the journal has them where they must be. */
export class DeliveryGate implements ThresholdWaiter {
  private waits = false;

  constructor(
    private readonly journal: JournalWriter,
    private readonly session: { pump(): void },
  ) {}

  /** Whether a frame must wait; the session is pumped when it need not any more. */
  holds(position: number): boolean {
    const { deliverable } = this.journal;
    if (position <= deliverable.position) return false;
    if (!this.waits) deliverable.wait(position, this);
    this.waits = true;
    return true;
  }

  onReached(): void {
    this.waits = false;
    this.session.pump();
  }

  /** Frames are promised: they wait on. */
  onFailed(): void {
    this.onReached();
  }
}
