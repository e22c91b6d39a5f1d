import type { Clock } from '../../../base/clock.js';
import type { PendingRequest } from './pending-request.js';
import type { PendingRequests } from './pending-requests.js';

/** Upper bound of the first pause before a refused request is sent again, ms; it doubles each time. */
const FIRST_PAUSE_MS = 100;

/** Plans when requests that were refused unexecuted (429, 503) are sent again under a new number. */
export class RefusedRetries {
  /**
   * @param table keeps the requests meanwhile, within its limits.
   * @param again puts the request back into the queue.
   */
  constructor(
    private readonly options: {
      readonly clock: Clock;
      readonly random: () => number;
      readonly refusedRetries: number;
    },
    private readonly table: PendingRequests,
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
    const cancel = clock.after(pause, () => this.again(request));
    this.table.putOff(request, cancel);
    return true;
  }
}
