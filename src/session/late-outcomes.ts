import type { UpstreamOutcome } from '../routing/router.js';
import type { PendingRequest, RequestOwner } from './pending-request.js';
import type { ServingGate } from './serving-gate.js';

interface LateOutcome {
  readonly owner: RequestOwner;
  readonly request: PendingRequest;
  readonly outcome: UpstreamOutcome;
}

/**
 * What requests came to while nothing may be numbered (`ServingGate.numbers`), in that order. There are no more
 * of them than were in flight, for no new request is taken in meanwhile.
 */
export class LateOutcomes {
  private waiting: LateOutcome[] = [];

  constructor(private readonly serving: ServingGate) {}

  /** @returns whether it has to wait; `release` tells its owner then. */
  holds(owner: RequestOwner, request: PendingRequest, outcome: UpstreamOutcome): boolean {
    if (this.serving.numbers) return false;
    this.waiting.push({ owner, request, outcome });
    return true;
  }

  /**
   * Numbers may be given again. Sessions that have ended since take no notice: those of a gateway that is not the
   * primary any more, or whose numbers jump, begin again with their requests unanswered.
   */
  release(): void {
    const { waiting } = this;
    this.waiting = [];
    for (const { owner, request, outcome } of waiting) owner.onOutcome(request, outcome);
  }
}
