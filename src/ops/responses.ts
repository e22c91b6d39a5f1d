import type { InstanceView, RouterView } from '../routing/router-view.js';
import type {
  HealthSnapshot,
  LoadView,
  Readiness,
  SessionPage,
  SessionView,
  StatsSnapshot,
} from './ops-source.js';

/** What the process itself knows; times in ms since 1970. */
export interface ProcessFacts {
  readonly version: string;
  readonly startedAt: number;
  readonly now: number;
}

/**
 * GET /health (WIRE.md, "HTTP (ops)"): `status`, `active_connections` and `timestamp` are what
 * deployed dashboards read. The process is healthy while it answers; /ready tells whether it serves.
 */
export function healthBody(health: HealthSnapshot, readiness: Readiness, facts: ProcessFacts) {
  return {
    status: 'healthy',
    active_connections: health.activeConnections,
    timestamp: seconds(facts.now),
    version: facts.version,
    uptime_seconds: seconds(facts.now - facts.startedAt),
    ready: readiness.ready,
    state: readiness.state,
    detached_sessions: health.detachedSessions,
    upstream_concurrent: health.routing.concurrent,
    zones: zonesBody(health.routing),
    warnings: health.warnings,
  };
}

function zonesBody({ zones, fallback }: RouterView) {
  const body = zones.map(({ zone, instances }) => ({
    zone,
    instances: instances.map(instanceBody),
  }));
  return fallback === null ? body : [...body, { zone: 'any', instances: [instanceBody(fallback)] }];
}

function instanceBody(instance: InstanceView) {
  return {
    address: instance.address,
    service_name: instance.serviceName,
    state: instance.state,
    capabilities: instance.capabilities,
    consecutive_failures: instance.consecutiveFailures,
    in_flight: instance.inFlight,
    requests: instance.requests,
    failures: instance.failures,
    latency_ms: Math.round(instance.latencyMs * 100) / 100,
    last_error: instance.lastError,
  };
}

/** GET /stats (WIRE.md, "HTTP (ops)"), one page of it; `next_offset` is null on the last. */
export function statsBody(stats: StatsSnapshot, page: SessionPage, now: number) {
  const end = page.offset + stats.sessions.length;
  const more = stats.sessions.length > 0 && end < stats.totalSessions;
  return {
    total_sessions: stats.totalSessions,
    overload: overloadBody(stats.load),
    sessions: stats.sessions.map(sessionBody),
    next_offset: more ? end : null,
    timestamp: seconds(now),
  };
}

function overloadBody(load: LoadView) {
  return {
    connections: load.connections,
    current_qps: Math.round(load.qps * 10) / 10,
    max_qps: Number.isFinite(load.maxQps) ? load.maxQps : null,
    event_loop_delay_ms: Math.round(load.eventLoopDelay),
    refusing_connections: load.shedding,
    limited_addresses: load.addresses,
  };
}

function sessionBody(session: SessionView) {
  return {
    session_id: session.sessionId,
    openid: session.openid,
    state: session.state,
    zone: session.zone,
    create_time: seconds(session.createdAt),
    last_activity: seconds(session.lastActivity),
    pending_count: session.pendingCount,
    ordered_queue: session.orderedQueue,
    in_flight: session.inFlight,
    remote_addr: session.remoteAddress,
  };
}

function seconds(ms: number): number {
  return Math.floor(ms / 1000);
}
