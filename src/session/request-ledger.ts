import { NumberMap } from '../base/number-map.js';
import type { PendingRequest } from './pending-request.js';

const ANSWERED = Symbol('answered');

/**
 * What became of the accepted requests of one incarnation: in flight, answered and not acknowledged,
 * or neither, which for an accepted number means that its answer was acknowledged.
 */
export class RequestLedger {
  private readonly states = new NumberMap<PendingRequest | typeof ANSWERED>();
  private inFlightCount = 0;

  get inFlight(): number {
    return this.inFlightCount;
  }

  accepted(request: PendingRequest): void {
    this.states.set(request.clientSeqId, request);
    this.inFlightCount++;
  }

  /** Its answer, or a refusal that consumed its number, is in the outbox. */
  answered(clientSeq: number): void {
    const state = this.states.get(clientSeq);
    if (state !== undefined && state !== ANSWERED) this.inFlightCount--;
    this.states.set(clientSeq, ANSWERED);
  }

  /** The client acknowledged the answer. */
  acknowledged(clientSeq: number): void {
    this.states.delete(clientSeq);
  }

  /** The request with this number if it is in flight. */
  inFlightRequest(clientSeq: number): PendingRequest | undefined {
    const state = this.states.get(clientSeq);
    return state === ANSWERED ? undefined : state;
  }

  /** Whether a repeat of this number already has, or will get, its answer. */
  awaitsDelivery(clientSeq: number): boolean {
    return this.states.has(clientSeq);
  }

  /** All requests in flight, oldest first. */
  pending(): PendingRequest[] {
    const found: PendingRequest[] = [];
    if (this.inFlightCount === 0) return found;
    for (const state of this.states.values()) if (state !== ANSWERED) found.push(state);
    return found.sort((one, other) => one.clientSeqId - other.clientSeqId);
  }
}
