import type { RouterView } from '../routing/router-view.js';

/** Whether clients should be sent here, and if not, why. */
export interface Readiness {
  readonly ready: boolean;
  /** One word or two for people and balancers: `serving`, `starting`, `draining`, `backup`. */
  readonly state: string;
}

/** The gateway as a whole. */
export interface HealthSnapshot {
  readonly activeConnections: number;
  readonly detachedSessions: number;
  readonly routing: RouterView;
  /** What an operator should look at, one line each: a zone without a live instance, a full queue. */
  readonly warnings: readonly string[];
}

/** One session; times are ms since 1970. */
export interface SessionView {
  readonly sessionId: string;
  readonly openid: string;
  readonly state: 'active' | 'detached';
  readonly zone: string;
  readonly createdAt: number;
  /** When its client was last heard. */
  readonly lastActivity: number;
  /** Frames that its client has not acknowledged. */
  readonly pendingCount: number;
  /** Pushes that wait for the answer they are bound behind (AFTER). */
  readonly orderedQueue: number;
  /** Requests that await an answer. */
  readonly inFlight: number;
  /** host:port, empty while detached. */
  readonly remoteAddress: string;
}

/** A part of all sessions, in an order that is stable while none comes or goes. */
export interface SessionPage {
  readonly offset: number;
  readonly limit: number;
}

/** How much is going on, and what of it is refused. */
export interface LoadView {
  /** Open client connections, with or without a session. */
  readonly connections: number;
  /** Business requests admitted per second, averaged over qps_window_seconds. */
  readonly qps: number;
  /** Infinity: no limit. */
  readonly maxQps: number;
  /** How late events are handled, ms. */
  readonly eventLoopDelay: number;
  /** New connections are refused because the event loop is late. */
  readonly shedding: boolean;
  /** Client addresses that limits are kept for. */
  readonly addresses: number;
}

export interface StatsSnapshot {
  readonly totalSessions: number;
  readonly load: LoadView;
  readonly sessions: readonly SessionView[];
}

/** What the composition root tells operators. Called per HTTP request: cheap, and never throws. */
export interface OpsSource {
  readiness(): Readiness;
  health(): HealthSnapshot;
  stats(page: SessionPage): StatsSnapshot;
}
