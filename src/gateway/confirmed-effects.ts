import type { Cancel, Clock } from '../base/clock.js';
import type { JournalBatch, JournalSink } from '../journal/journal.js';
import type { JournalWriter } from '../journal/journal-writer.js';
import type { ThresholdBar, WaitFailure } from '../journal/threshold.js';
import type { ConfirmationGate, GateVerdict } from '../replication/confirmation-gate.js';

const LAGGING: WaitFailure = {
  pushError: 'REPLICATION_LAG',
  reason: 'the standby does not confirm, and backup.sync.on_timeout is refuse',
};

/** How often a primary without lease looks whether it has one again, ms. */
const LEASE_POLL_MS = 10;

/**
 * In sync mode: what depends on journal entries, frames, dispatches and success, has its effects only
 * once the standby has them, or once the gate goes on without it; and only under the lease.
 */
export class ConfirmedEffects implements JournalSink {
  private bars: { readonly deliverable: ThresholdBar; readonly settled: ThresholdBar } | null =
    null;
  private detach: (() => void) | null = null;
  private clearObstacle: (() => void) | null = null;
  private passed = 0;
  private cancelPoll: Cancel | null = null;
  private scheduled = false;
  private readonly raise = (): void => {
    this.scheduled = false;
    this.raiseBars();
  };

  /** @param serves whether this gateway may serve at this instant. */
  constructor(
    private readonly journal: JournalWriter,
    private readonly gate: ConfirmationGate,
    private readonly serves: () => boolean,
    private readonly clock: Clock,
  ) {}

  /**
   * This gateway is the primary from now on.
   * @param known up to where the former primary has what is here. Under `refuse` no frame behind it leaves before
   * a standby has it, answers and pushes that taking over numbered included: the former primary may go on with
   * the same numbers.
   */
  begin(known: number): void {
    this.end();
    const { journal } = this;
    const { newest } = journal;
    this.passed = this.gate.refusing ? known : newest;
    this.bars = {
      deliverable: journal.deliverable.hold(this.passed),
      settled: journal.settled.hold(newest),
    };
    this.detach = journal.attach(this);
    this.onDegraded();
  }

  /** It is not any more. Idempotent. */
  end(): void {
    this.detach?.();
    this.detach = null;
    this.cancelPoll?.();
    this.cancelPoll = null;
    this.bars?.deliverable.remove();
    this.bars?.settled.remove();
    this.bars = null;
    this.clearObstacle?.();
    this.clearObstacle = null;
  }

  take({ first, count }: JournalBatch): void {
    const position = first + count - 1;
    this.gate.whenConfirmed(position, (verdict) => this.onVerdict(position, verdict));
  }

  /** The standby's confirmations stopped, or count again. */
  onDegraded(): void {
    if (this.bars === null) return;
    if (this.gate.refusing) {
      this.clearObstacle ??= this.journal.obstruct(LAGGING);
      return;
    }
    this.clearObstacle?.();
    this.clearObstacle = null;
    // What was refused waits in outboxes; the standby has it now.
    if (!this.gate.degraded) this.onVerdict(this.gate.confirmed, 'confirmed');
  }

  private onVerdict(position: number, verdict: GateVerdict): void {
    if (this.bars === null) return;
    if (verdict === 'refused') {
      this.bars.settled.fail(position, LAGGING);
      this.bars.deliverable.fail(position, LAGGING);
      return;
    }
    this.passed = Math.max(this.passed, position);
    if (this.scheduled) return;
    this.scheduled = true;
    // Not from within a flush of the journal: what is let go may write the next entries.
    queueMicrotask(this.raise);
  }

  private raiseBars(): void {
    const { bars } = this;
    if (bars === null) return;
    if (this.serves()) {
      bars.deliverable.raise(this.passed);
      bars.settled.raise(this.passed);
    } else {
      this.cancelPoll ??= this.clock.after(LEASE_POLL_MS, () => {
        this.cancelPoll = null;
        this.raiseBars();
      });
    }
  }
}
