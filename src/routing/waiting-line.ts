import { RingQueue } from '../base/ring-queue.js';
import type { PendingRequest } from './pending-request.js';

/** The session layer stops reading at 64 in flight; this only bounds what a caller in error holds. */
const MAX_WAITING = 256;
const MAX_WAITING_BYTES = 8 * 1_048_576;

/** Requests of one session that wait for the ones before them, in order. */
export class WaitingLine {
  /** Requests under way that those in the line may have to wait for; kept by the routes. */
  inFlight = 0;
  private readonly queue = new RingQueue<PendingRequest>();
  private bytes = 0;

  get empty(): boolean {
    return this.queue.length === 0;
  }

  /** @returns false when it is full. */
  push(pending: PendingRequest): boolean {
    const bytes = this.bytes + pending.bytes.length;
    if (this.queue.length >= MAX_WAITING || bytes > MAX_WAITING_BYTES) return false;
    this.bytes = bytes;
    this.queue.push(pending);
    return true;
  }

  /** The next one; the line must not be empty. */
  shift(): PendingRequest {
    const pending = this.queue.shift() as PendingRequest;
    this.bytes -= pending.bytes.length;
    return pending;
  }
}
