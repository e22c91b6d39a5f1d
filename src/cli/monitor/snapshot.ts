/** Durations of one stage of the gateway, ms. */
export interface StageLatency {
  readonly stage: string;
  readonly count: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

export interface UpstreamLine {
  readonly address: string;
  readonly service: string;
  readonly state: string;
  readonly inFlight: number;
  readonly latencyMs: number;
  readonly failures: number;
  readonly lastError: string;
}

export interface ZoneLine {
  readonly zone: string;
  readonly sessions: number;
  readonly inFlight: number;
  readonly upstreams: readonly UpstreamLine[];
}

/** What grows for as long as the gateway runs; differences over time are rates. */
export interface Totals {
  readonly requests: number;
  readonly frames: number;
  readonly pushes: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** What a gateway said about itself at one moment. */
export interface Snapshot {
  /** When it was read, ms of performance.now(). */
  readonly at: number;
  readonly version: string;
  readonly state: string;
  readonly uptimeSeconds: number;
  readonly sessions: {
    readonly active: number;
    readonly detached: number;
    readonly pending: number;
  };
  readonly connections: number;
  readonly inFlight: number;
  readonly totals: Totals;
  readonly qps: { readonly current: number; readonly max: number | null };
  readonly refusing: boolean;
  readonly limitedAddresses: number;
  readonly loop: StageLatency & { readonly utilization: number };
  readonly gc: StageLatency;
  readonly memory: { readonly rss: number; readonly heapUsed: number; readonly heapLimit: number };
  /** Cores. */
  readonly cpu: number;
  readonly stages: readonly StageLatency[];
  readonly zones: readonly ZoneLine[];
  readonly warnings: readonly string[];
}

/**
 * Reads the bodies of /health, /stats and /performance. A field that another version of the gateway
 * does not have reads as 0, empty or null: a monitor shows what there is.
 */
export function readSnapshot(
  health: unknown,
  stats: unknown,
  performanceBody: unknown,
  at: number,
): Snapshot {
  const traffic = field(stats, 'traffic');
  const overload = field(stats, 'overload');
  const memory = field(performanceBody, 'memory');
  const loop = field(performanceBody, 'event_loop');
  const cpu = field(performanceBody, 'cpu');
  const active = number(stats, 'active_sessions');
  const max = field(overload, 'max_qps');
  return {
    at,
    version: text(health, 'version'),
    state: text(health, 'state'),
    uptimeSeconds: number(health, 'uptime_seconds'),
    sessions: {
      active,
      detached: Math.max(0, number(stats, 'total_sessions') - active),
      pending: number(stats, 'pending_frames'),
    },
    connections: number(overload, 'connections'),
    inFlight: number(stats, 'in_flight'),
    totals: {
      requests: number(traffic, 'business_requests'),
      frames: number(traffic, 'frames_received'),
      pushes: number(traffic, 'pushes_accepted'),
      bytesIn: number(traffic, 'bytes_in'),
      bytesOut: number(traffic, 'bytes_out'),
    },
    qps: { current: number(overload, 'current_qps'), max: typeof max === 'number' ? max : null },
    refusing: field(overload, 'refusing_connections') === true,
    limitedAddresses: number(overload, 'limited_addresses'),
    loop: {
      ...latency('event loop', field(loop, 'delay_ms')),
      utilization: number(loop, 'utilization'),
    },
    gc: latency('gc pause', field(field(performanceBody, 'gc'), 'pause_ms')),
    memory: {
      rss: number(memory, 'rss'),
      heapUsed: number(memory, 'heap_used'),
      heapLimit: number(memory, 'heap_limit'),
    },
    cpu: number(cpu, 'user') + number(cpu, 'system'),
    stages: Object.entries(field(performanceBody, 'latency_ms') ?? {}).map(([stage, body]) =>
      latency(stage, body),
    ),
    zones: list(stats, 'zones').map(zoneLine),
    warnings: list(health, 'warnings').map((warning) => plain(String(warning))),
  };
}

/** Per second, between two snapshots. */
export function ratesBetween(before: Snapshot, after: Snapshot): Totals {
  const seconds = Math.max(0.001, (after.at - before.at) / 1000);
  const rate = (key: keyof Totals) =>
    // A gateway that was restarted counts from 0 again.
    Math.max(0, after.totals[key] - before.totals[key]) / seconds;
  return {
    requests: rate('requests'),
    frames: rate('frames'),
    pushes: rate('pushes'),
    bytesIn: rate('bytesIn'),
    bytesOut: rate('bytesOut'),
  };
}

function zoneLine(body: unknown): ZoneLine {
  return {
    zone: text(body, 'zone'),
    sessions: number(body, 'sessions'),
    inFlight: number(body, 'in_flight'),
    upstreams: list(body, 'upstreams').map((upstream) => ({
      address: text(upstream, 'address'),
      service: text(upstream, 'service_name'),
      state: text(upstream, 'state'),
      inFlight: number(upstream, 'in_flight'),
      latencyMs: number(upstream, 'latency_ms'),
      failures: number(upstream, 'failures'),
      lastError: text(upstream, 'last_error'),
    })),
  };
}

function latency(stage: string, body: unknown): StageLatency {
  const [count, p50, p90] = ['count', 'p50', 'p90'].map((key) => number(body, key));
  const [p99, max] = ['p99', 'max'].map((key) => number(body, key));
  return { stage, count: count ?? 0, p50: p50 ?? 0, p90: p90 ?? 0, p99: p99 ?? 0, max: max ?? 0 };
}

function field(body: unknown, key: string): unknown {
  return typeof body === 'object' && body !== null
    ? (body as Record<string, unknown>)[key]
    : undefined;
}

function number(body: unknown, key: string): number {
  const value = field(body, key);
  return typeof value === 'number' ? value : 0;
}

function text(body: unknown, key: string): string {
  const value = field(body, key);
  return typeof value === 'string' ? plain(value) : '';
}

function list(body: unknown, key: string): readonly unknown[] {
  const value = field(body, key);
  return Array.isArray(value) ? value : [];
}

/** Names come from upstreams: none of them may draw on an operator's terminal. */
function plain(value: string): string {
  return value.replace(/\p{Cc}/gu, ' ');
}
