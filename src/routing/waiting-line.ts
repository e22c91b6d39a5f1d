import { RingQueue } from '../base/ring-queue.js';
import type { DispatchedRequest } from './dispatched-request.js';

/**
 * Requests of one session that wait for the ones before them, in order. It refuses none: a session has
 * at most `session.max_in_flight` on their way, all sessions what the RequestGate admits, in count and bytes.
 */
export class WaitingLine {
  /** Requests under way that those in the line may have to wait for; kept by the routes. */
  inFlight = 0;
  private readonly queue = new RingQueue<DispatchedRequest>();

  get empty(): boolean {
    return this.queue.length === 0;
  }

  push(pending: DispatchedRequest): void {
    this.queue.push(pending);
  }

  /** The next one; the line must not be empty. */
  shift(): DispatchedRequest {
    return this.queue.shift() as DispatchedRequest;
  }
}
