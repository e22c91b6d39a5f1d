import type { BackupStats } from '../replication/backup-stats.js';
import { instanceBody, seconds } from './health-body.js';
import type {
  LoadView,
  OutboxFrame,
  SessionDetail,
  SessionQuery,
  SessionView,
  StatsSnapshot,
  ZoneSessions,
} from './ops-source.js';
import { renderCursor } from './session-query.js';

/**
 * GET /stats (WIRE.md, "HTTP (ops)"), one page of it; `next_offset` and `next_cursor` are null on the
 * last page, and `next_offset` where a cursor was given.
 */
export function statsBody(
  stats: StatsSnapshot,
  pair: BackupStats | null,
  query: SessionQuery,
  now: number,
) {
  const { sessions, more } = stats;
  const last = more ? sessions.at(-1) : undefined;
  return {
    ...overviewBody(stats, pair),
    sessions: sessions.map(sessionBody),
    next_offset: more && query.after === 0 ? query.offset + sessions.length : null,
    next_cursor: last === undefined ? null : renderCursor(last),
    timestamp: seconds(now),
  };
}

/** What of /stats is not about single sessions. */
export function overviewBody(stats: StatsSnapshot, pair: BackupStats | null) {
  const { zones } = stats;
  return {
    total_sessions: stats.totalSessions,
    active_sessions: total(zones, (zone) => zone.active),
    pending_frames: total(zones, (zone) => zone.pendingFrames),
    in_flight: total(zones, (zone) => zone.inFlight),
    traffic: trafficBody(stats),
    zones: zonesBody(stats),
    overload: overloadBody(stats.load),
    pair,
  };
}

/** GET /sessions/{id}. */
export function sessionDetailBody(session: SessionDetail) {
  return {
    ...sessionBody(session),
    transport: session.transport,
    connected_at: seconds(session.connectedAt),
    logged_in: session.loggedIn,
    next_client_seq: session.nextClientSeq,
    next_push_seq: session.nextPushSeq,
    highest_sent: session.highestSent,
    acknowledged: session.acknowledged,
    pending_bytes: session.pendingBytes,
    outbox: session.outbox.map(outboxBody),
  };
}

function outboxBody({ seq, kind, clientSeq, bytes, sent }: OutboxFrame) {
  return { seq, kind, client_seq: clientSeq, bytes, sent };
}

function total(zones: readonly ZoneSessions[], measure: (zone: ZoneSessions) => number): number {
  return zones.reduce((sum, zone) => sum + measure(zone), 0);
}

function trafficBody({ traffic }: StatsSnapshot) {
  return {
    frames_received: traffic.frames,
    business_requests: traffic.requests,
    bytes_in: traffic.bytesIn,
    bytes_out: traffic.bytesOut,
    upstream_requests: traffic.upstreamRequests,
    pushes_accepted: traffic.pushesAccepted,
  };
}

/** Zones with sessions or with upstreams; `any` is the configured upstream for zones without. */
function zonesBody({ zones, routing }: StatsSnapshot) {
  const sessions = new Map(zones.map((zone) => [zone.zone, zone]));
  const instances = new Map(routing.zones.map((zone) => [zone.zone, zone.instances]));
  if (routing.fallback !== null) instances.set('any', [routing.fallback]);
  return [...new Set([...instances.keys(), ...sessions.keys()])].sort().map((zone) => ({
    zone,
    sessions: sessions.get(zone)?.sessions ?? 0,
    active_sessions: sessions.get(zone)?.active ?? 0,
    pending_frames: sessions.get(zone)?.pendingFrames ?? 0,
    in_flight: sessions.get(zone)?.inFlight ?? 0,
    upstreams: (instances.get(zone) ?? []).map(instanceBody),
  }));
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
