import type { RouterView, RoutingView } from '../routing/router-view.js';
import type { BackupStats } from '../replication/backup-stats.js';
import type { TraceListener } from '../session/trace/trace-event.js';
import type { LogLevelName } from '../telemetry/log-level.js';

/** Whether clients should be sent here, and if not, why. */
export type ReadyState = 'starting' | 'serving' | 'draining' | 'backup' | 'silent';

export interface Readiness {
  readonly ready: boolean;
  /** `silent`: the primary of a pair that may not serve at the moment. */
  readonly state: ReadyState;
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
  /** Its place in the order in which sessions began, over restarts too. */
  readonly ordinal: number;
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

/** Which sessions, oldest first, and which part of them. */
export interface SessionQuery {
  /** How many are skipped; 0 beside `after`. */
  readonly offset: number;
  readonly limit: number;
  /** Only those after this `ordinal`, whose session may have ended meanwhile; 0: from the first. */
  readonly after: number;
  /** Empty: every openid. */
  readonly openidPrefix: string;
  /** Empty: every zone. */
  readonly zone: string;
}

/** A frame that is kept until its client acknowledges it; what it says is nobody's business. */
export interface OutboxFrame {
  readonly seq: number;
  readonly kind: 'answer' | 'push';
  /** Number of the request that an answer belongs to, 0 for a push. */
  readonly clientSeq: number;
  readonly bytes: number;
  /** Whether it was written to the present connection. */
  readonly sent: boolean;
}

/** One session more closely. */
export interface SessionDetail extends SessionView {
  /** Of the present or last connection: `quic`, `websocket`, ...; empty before the first. */
  readonly transport: string;
  /** When that connection took the session over, ms since 1970. */
  readonly connectedAt: number;
  readonly loggedIn: boolean;
  /** The number that its client's next request must carry. */
  readonly nextClientSeq: number;
  /** Numbers of pushes: of the next one, the highest sent, the highest acknowledged. */
  readonly nextPushSeq: number;
  readonly highestSent: number;
  readonly acknowledged: number;
  /** Bytes of all frames that are kept for it. */
  readonly pendingBytes: number;
  /** The first frames of the outbox, oldest first; `pendingCount` tells how many there are. */
  readonly outbox: readonly OutboxFrame[];
}

/** The sessions of one zone together. */
export interface ZoneSessions {
  readonly zone: string;
  readonly sessions: number;
  readonly active: number;
  readonly pendingFrames: number;
  readonly inFlight: number;
}

/** Since the gateway started. */
export interface TrafficTotals {
  readonly frames: number;
  readonly requests: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly upstreamRequests: number;
  readonly pushesAccepted: number;
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
  /** Only zones that have sessions. */
  readonly zones: readonly ZoneSessions[];
  readonly routing: RouterView;
  readonly traffic: TrafficTotals;
  readonly load: LoadView;
  readonly sessions: readonly SessionView[];
  /** There are sessions after these that match. */
  readonly more: boolean;
}

/** What the composition root tells operators. Called per HTTP request: cheap, and never throws. */
export interface OpsSource {
  readiness(): Readiness;
  health(): HealthSnapshot;
  stats(query: SessionQuery): StatsSnapshot;
  routing(): RoutingView;
  /** Null where there is no such session. */
  session(sessionId: string): SessionDetail | null;
  /** Null where the openid has none. */
  sessionOf(openid: string): SessionDetail | null;
  /**
   * Tells a listener everything that happens to a client from now on, connected or not.
   * @returns ends that.
   */
  follow(openid: string, listener: TraceListener): () => void;
  /** Null where this gateway is not one of a pair, or does not know of it yet. */
  pair(): BackupStats | null;
}

/** What operators can do to the gateway. */
export interface OpsControls {
  /** Ends a session for good, its client is told why; false where there is no such session. */
  kick(sessionId: string, reason: string): boolean;
  /** Begins to send clients away, for good; false while the gateway is still starting. */
  drain(): boolean;
  /**
   * Begins the planned switch of a pair; `pair()` tells how it goes.
   * @param mode what this gateway shall become.
   * @throws {CodedError} one line: why not.
   */
  switchRoles(mode: 'primary' | 'backup'): void;
  /**
   * Lets the gateway of a pair serve that waits for its peer, or stepped down: the peer is gone.
   * @throws {CodedError} one line: why not.
   */
  goSolo(): void;
  logLevel(): LogLevelName;
  setLogLevel(level: LogLevelName): void;
}
