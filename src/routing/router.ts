import type { UpstreamResponse } from '../wire/messages.js';
import type { DispatchTrace } from './dispatch-trace.js';

/** What became of a request that was handed to an upstream. */
export type UpstreamOutcome =
  | { readonly kind: 'answered'; readonly response: UpstreamResponse }
  | {
      readonly kind: 'failed';
      /** 502 upstream failed, 503 no upstream for the zone, 504 timed out or outcome unknown. */
      readonly code: 502 | 503 | 504;
      /** One line for the client: names no address. */
      readonly reason: string;
    };

/** A business request on its way, as the session holds it; the router adds nothing per request. */
export interface RoutedRequest {
  readonly sessionId: string;
  readonly openid: string;
  readonly clientSeqId: number;
  readonly action: string;
  readonly params: Record<string, string>;
  /** Valid only during `dispatch`: it may alias a read buffer. */
  readonly data: Uint8Array;
  readonly headers: Record<string, string>;
  /** Null where nobody asks how it fares. */
  readonly trace: DispatchTrace | null;
  /** Called exactly once per dispatch, later than `dispatch` returns. */
  onOutcome(outcome: UpstreamOutcome): void;
}

/**
 * The way of one session's requests to the upstreams: of each zone or service, to one instance, in
 * order. It stays with an instance while that is healthy and changes only with nothing in flight there,
 * or on ejection.
 */
export interface Route {
  /** Where requests go that no rule by action takes: the zone of the openid, or a service. */
  readonly zone: string;
  /** Whether every upstream there for this action takes a repeat for what it is (capability `dedupe`). */
  dedupes(action: string): boolean;
  dispatch(request: RoutedRequest): void;
}

/** The session layer's view of routing. */
export interface Router {
  /** The route of a session; kept by it for its life. */
  routeFor(openid: string): Route;
}
