import type { Clock } from '../base/clock.js';
import type {
  HealthSnapshot,
  OpsSource,
  Readiness,
  SessionDetail,
  SessionQuery,
  SessionView,
  StatsSnapshot,
  TrafficTotals,
} from '../ops/ops-source.js';
import type { BackupStats } from '../replication/backup-stats.js';
import type { RouterView, RoutingView } from '../routing/router-view.js';
import { describePool, isZone } from '../routing/zone.js';
import type { ZoneRouter } from '../routing/zone-router.js';
import type { Session } from '../session/session.js';
import type { SessionService } from '../session/session-service.js';
import type { TraceListener } from '../session/trace/trace-event.js';
import type { Metrics } from '../telemetry/metrics.js';
import { firstFrames, selectSessions, sumByZone } from './ops-sessions.js';
import type { PairSide } from './pair-side.js';

const REGISTRY_BEHIND =
  'routing.registry_file cannot be written: after a restart upstreams must register again';

export interface OpsViewParts {
  readonly state: () => Readiness;
  readonly sessions: SessionService;
  readonly router: ZoneRouter;
  readonly metrics: Metrics;
  /** Null where this gateway has no peer. */
  readonly pair: PairSide | null;
  readonly clock: Clock;
  /** What the parts without a view of their own warn of: one line each. */
  readonly standing: () => readonly string[];
  /** Requests awaiting upstreams from which on that is a warning; Infinity: never. */
  readonly upstreamWarning: number;
}

/** What operators see of the gateway, gathered when they ask. */
export class OpsView implements OpsSource {
  constructor(private readonly parts: OpsViewParts) {}

  readiness(): Readiness {
    return this.parts.state();
  }

  health(): HealthSnapshot {
    const { sessions, router, pair, standing, upstreamWarning } = this.parts;
    const active = sessions.activeCount();
    const routing = router.view();
    return {
      activeConnections: active,
      detachedSessions: sessions.registry.size - active,
      routing,
      warnings: [
        ...standing(),
        ...(router.registryBehind ? [REGISTRY_BEHIND] : []),
        ...sessions.overload.warnings(),
        ...busyUpstreams(routing, upstreamWarning),
        // Upstreams register at the primary, which alone calls them.
        ...(pair === null || pair.stats?.role === 'primary' ? unservedZones(routing) : []),
      ],
    };
  }

  stats(query: SessionQuery): StatsSnapshot {
    const { sessions, router } = this.parts;
    const { registry, overload } = sessions;
    const { page, more } = selectSessions(registry, query);
    return {
      totalSessions: registry.size,
      zones: sumByZone(registry.all()),
      routing: router.view(),
      traffic: this.traffic(),
      load: { ...overload.view(), connections: sessions.connectionCount },
      sessions: page.map((session) => this.describe(session)),
      more,
    };
  }

  pair(): BackupStats | null {
    return this.parts.pair?.stats ?? null;
  }

  routing(): RoutingView {
    return this.parts.router.rulesView();
  }

  session(sessionId: string): SessionDetail | null {
    const session = this.parts.sessions.registry.find(sessionId);
    return session === undefined ? null : this.detail(session);
  }

  sessionOf(openid: string): SessionDetail | null {
    const session = this.parts.sessions.registry.findByOpenid(openid);
    return session === undefined ? null : this.detail(session);
  }

  follow(openid: string, listener: TraceListener): () => void {
    return this.parts.sessions.follow(openid, listener);
  }

  private detail(session: Session): SessionDetail {
    return {
      ...this.describe(session),
      transport: session.transport,
      connectedAt: session.connectedAt,
      loggedIn: session.loggedIn,
      nextClientSeq: session.sequence.next,
      nextPushSeq: session.outbox.nextSeq,
      highestSent: session.highestSent,
      acknowledged: session.acknowledged,
      pendingBytes: session.outbox.totalBytes,
      outbox: firstFrames(session.outbox),
    };
  }

  private traffic(): TrafficTotals {
    const { session, upstream } = this.parts.metrics;
    return {
      frames: session.totalRequests.value,
      requests: session.businessRequests.value,
      bytesIn: session.bytesIn.value,
      bytesOut: session.bytesOut.value,
      upstreamRequests: upstream.requests.value,
      pushesAccepted: session.pushes.of('accepted').value,
    };
  }

  private describe(session: Session): SessionView {
    const { clock } = this.parts;
    const { outbox } = session;
    return {
      sessionId: session.id,
      ordinal: session.handle,
      openid: session.openid,
      state: session.active ? 'active' : 'detached',
      zone: session.zone,
      createdAt: session.createdAt,
      lastActivity: clock.wallTime() - (clock.now() - session.lastFrameAt),
      pendingCount: outbox.length,
      orderedQueue: outbox.totalFrames - outbox.length,
      inFlight: session.ledger.inFlight,
      remoteAddress: session.active ? session.remoteAddress : '',
    };
  }
}

function busyUpstreams({ concurrent }: RouterView, threshold: number): string[] {
  if (concurrent < threshold) return [];
  return [`requests awaiting upstreams: at or above the warning threshold ${threshold}`];
}

function unservedZones({ zones, fallback }: RouterView): string[] {
  const zonesServed = fallback !== null && fallback.state !== 'ejected';
  return zones
    .filter(({ zone }) => !zonesServed || !isZone(zone))
    .filter(({ instances }) => instances.every(({ state }) => state === 'ejected'))
    .map(({ zone, instances }) =>
      instances.length === 0
        ? `${describePool(zone)} has no upstream`
        : `${describePool(zone)}: none of its ${instances.length} upstreams answers`,
    );
}
