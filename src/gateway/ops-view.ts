import type { Clock } from '../base/clock.js';
import type {
  HealthSnapshot,
  OpsSource,
  Readiness,
  SessionPage,
  SessionView,
  StatsSnapshot,
} from '../ops/ops-source.js';
import type { RouterView } from '../routing/router-view.js';
import type { ZoneRouter } from '../routing/zone-router.js';
import type { Session } from '../session/session.js';
import type { SessionService } from '../session/session-service.js';

/** What operators see of the gateway, gathered when they ask. */
export class OpsView implements OpsSource {
  constructor(
    private readonly state: () => Readiness,
    private readonly sessions: SessionService,
    private readonly router: ZoneRouter,
    private readonly clock: Clock,
    /** What the parts without a view of their own warn of: one line each. */
    private readonly standing: () => readonly string[],
    /** Requests awaiting upstreams from which on that is a warning; Infinity: never. */
    private readonly upstreamWarning: number,
  ) {}

  readiness(): Readiness {
    return this.state();
  }

  health(): HealthSnapshot {
    const active = this.sessions.activeCount();
    const routing = this.router.view();
    return {
      activeConnections: active,
      detachedSessions: this.sessions.registry.size - active,
      routing,
      warnings: [
        ...this.standing(),
        ...this.sessions.overload.warnings(),
        ...busyUpstreams(routing, this.upstreamWarning),
        ...unservedZones(routing),
      ],
    };
  }

  stats({ offset, limit }: SessionPage): StatsSnapshot {
    const sessions: SessionView[] = [];
    let index = 0;
    for (const session of this.sessions.registry.all()) {
      if (index >= offset + limit) break;
      if (index++ >= offset) sessions.push(this.describe(session));
    }
    const { registry, overload } = this.sessions;
    const load = { ...overload.view(), connections: this.sessions.connectionCount };
    return { totalSessions: registry.size, load, sessions };
  }

  private describe(session: Session): SessionView {
    const { outbox } = session;
    return {
      sessionId: session.id,
      openid: session.openid,
      state: session.active ? 'active' : 'detached',
      zone: session.zone,
      createdAt: session.createdAt,
      lastActivity: this.clock.wallTime() - (this.clock.now() - session.lastFrameAt),
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
  if (fallback !== null && fallback.state !== 'ejected') return [];
  return zones
    .filter(({ instances }) => instances.every(({ state }) => state === 'ejected'))
    .map(({ zone, instances }) =>
      instances.length === 0
        ? `zone ${zone} has no upstream`
        : `zone ${zone}: none of its ${instances.length} upstreams answers`,
    );
}
