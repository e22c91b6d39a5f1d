import type { Clock } from '../../../base/clock.js';
import type { PendingRequest } from './pending-request.js';

/** Upper bound of the first pause before a refused request is sent again, ms; it doubles each time. */
const FIRST_PAUSE_MS = 100;

/** Requests that were refused unexecuted (429, 503) and wait to be sent again under a new number. */
export class RefusedRetries {
  private readonly waiting = new Set<PendingRequest>();

  /** @param again puts the request back into the queue. */
  constructor(
    private readonly options: {
      readonly clock: Clock;
      readonly random: () => number;
      readonly refusedRetries: number;
    },
    private readonly again: (request: PendingRequest) => void,
  ) {}

  /**
   * Takes a request in; false where it was tried often enough or nobody waits for it.
   * @param wait ms that the gateway asked for.
   */
  take(request: PendingRequest, wait: number): boolean {
    const { clock, random, refusedRetries } = this.options;
    if (!request.wanted || request.retries >= refusedRetries) return false;
    // Half fixed, half jitter: an overloaded gateway must not get the same burst again at once.
    const pause = wait + FIRST_PAUSE_MS * 2 ** request.retries * (0.5 + random() / 2);
    request.retries++;
    request.seq = 0;
    this.waiting.add(request);
    clock.after(pause, () => {
      if (this.waiting.delete(request) && request.wanted) this.again(request);
    });
    return true;
  }

  /** Takes all out: the client is closed. */
  drain(): PendingRequest[] {
    const all = [...this.waiting];
    this.waiting.clear();
    return all;
  }
}
