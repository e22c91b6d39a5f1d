import type { InstanceView, RouterView } from '../routing/router-view.js';
import type { BackupStats } from '../replication/backup-stats.js';
import type { HealthSnapshot, Readiness } from './ops-source.js';

/** What the process itself knows. */
export interface ProcessFacts {
  readonly version: string;
  /** Milliseconds. */
  readonly uptime: number;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/**
 * GET /health (WIRE.md, "HTTP (ops)"): `status`, `active_connections` and `timestamp` are what
 * deployed dashboards read. The process is healthy while it answers; /ready tells whether it serves.
 */
export function healthBody(
  health: HealthSnapshot,
  readiness: Readiness,
  pair: BackupStats | null,
  facts: ProcessFacts,
) {
  return {
    status: 'healthy',
    active_connections: health.activeConnections,
    timestamp: seconds(facts.now),
    version: facts.version,
    uptime_seconds: seconds(facts.uptime),
    ready: readiness.ready,
    state: readiness.state,
    detached_sessions: health.detachedSessions,
    upstream_concurrent: health.routing.concurrent,
    zones: zonesBody(health.routing),
    pair,
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

export function instanceBody(instance: InstanceView) {
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

export function seconds(ms: number): number {
  return Math.floor(ms / 1000);
}
