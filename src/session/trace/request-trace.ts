import type { DispatchTrace } from '../../routing/dispatch-trace.js';
import type { UpstreamOutcome } from '../../routing/router.js';

/** Hears how one business request fares, from its admission to its answer. None of it may throw. */
export interface RequestTrace extends DispatchTrace {
  /** What became of it; once, unless its session ended before it was sent. */
  onOutcome(outcome: UpstreamOutcome): void;
  /** Its answer is in the outbox; not where its session ended. */
  onKept(): void;
}
