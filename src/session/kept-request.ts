import type { Route } from '../routing/router.js';
import { BusinessRequest, KeptRequest, decodeMessage } from '../wire/messages.js';
import type { ClientRequest, SessionState } from '../wire/messages.js';
import { OUTCOME_UNKNOWN, PendingRequest } from './pending-request.js';
import type { RequestOwner } from './pending-request.js';
import type { RequestLedger } from './request-ledger.js';

/** A KeptRequest as it is decoded. */
export type KeptFields = NonNullable<SessionState['unanswered'][number]['request']>;

/**
 * What must be kept of a request, so that a promoted or restarted gateway can ask again: all of it, where
 * its upstreams registered the capability `dedupe`. Elsewhere nothing, for it is never asked again.
 */
export function keptRequest(
  route: Route,
  frame: ClientRequest,
  action: string,
): KeptRequest | null {
  if (!route.dedupes(action)) return null;
  // The frame's bytes are those of a read buffer.
  return new KeptRequest({ business: Buffer.from(frame.payload), headers: frame.headers });
}

/** A request that a former process or gateway took in, and that may be asked again. */
export function requestAgain(
  owner: RequestOwner,
  kept: KeptFields,
  numbers: { readonly clientSeq: number; readonly msgId: number },
  now: number,
): PendingRequest {
  const business = decodeMessage(BusinessRequest, kept.business ?? new Uint8Array(0));
  const { clientSeq, msgId } = numbers;
  const headers = kept.headers ?? {};
  const request = new PendingRequest(owner, clientSeq, msgId, now, business, headers);
  request.kept = new KeptRequest({ business: kept.business ?? null, headers });
  request.again = true;
  return request;
}

/** The part of a session that has requests in flight. */
interface Asker {
  readonly route: Route;
  readonly ledger: RequestLedger;
  release(request: PendingRequest): void;
}

/**
 * Requests without an answer that were kept go to their upstreams again, where these still take a repeat
 * for what it is; the others get 504.
 */
export function askAgain(sessions: Iterable<Asker>): void {
  for (const session of sessions) {
    for (const request of session.ledger.pending()) {
      if (!request.again) continue;
      if (session.route.dedupes(request.action)) session.release(request);
      else request.onOutcome(OUTCOME_UNKNOWN);
    }
  }
}
