/** What the console reads of the operators' API (docs/openapi.json); there is more in the answers. */

export interface UpstreamBody {
  readonly address: string;
  readonly service_name: string;
  readonly state: string;
  readonly in_flight: number;
  readonly requests: number;
  readonly failures: number;
  readonly latency_ms: number;
  readonly last_error: string;
}

export interface ZoneBody {
  readonly zone: string;
  readonly sessions: number;
  readonly active_sessions: number;
  readonly pending_frames: number;
  readonly in_flight: number;
  readonly upstreams: readonly UpstreamBody[];
}

export interface OverloadBody {
  readonly connections: number;
  readonly current_qps: number;
  readonly max_qps: number | null;
  readonly event_loop_delay_ms: number;
  readonly refusing_connections: boolean;
  readonly limited_addresses: number;
}

export interface PairBody {
  readonly role: string;
  readonly accepting: boolean;
  readonly epoch: number;
  readonly solo: boolean;
  readonly in_sync: boolean;
  readonly degraded: boolean;
  readonly position: number;
  readonly lag_frames: number;
  readonly lag_bytes: number;
  readonly lag_ms: number;
  readonly peer: {
    readonly server_id: string;
    readonly role: string;
    readonly epoch: number;
    readonly sessions: number;
    readonly healthy: boolean;
    readonly advertise_addr: string;
    readonly last_heard_ms: number;
  } | null;
}

/** Durations in ms. */
export interface LatencyBody {
  readonly count: number;
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

export interface PerformanceBody {
  readonly window_seconds: number;
  readonly event_loop: { readonly delay_ms: LatencyBody; readonly utilization: number };
  readonly gc: { readonly pause_ms: LatencyBody };
  readonly memory: {
    readonly rss: number;
    readonly heap_used: number;
    readonly heap_limit: number;
  };
  readonly cpu: { readonly user: number; readonly system: number };
  readonly latency_ms: Readonly<Record<string, LatencyBody>>;
}

/** One moment of every series by name; null where nothing is known of it. */
export type PointBody = Readonly<Record<string, number | null>>;

/** Event `hello` of GET /stats/stream. */
export interface HelloBody {
  readonly version: string;
  readonly admin: boolean;
  readonly started: number;
  readonly interval_ms: number;
}

/** Event `history`: each series as a column, oldest first. */
export type HistoryBody = Readonly<Record<string, readonly (number | null)[]>>;

/** Event `sample`. */
export interface SampleBody {
  readonly timestamp: number;
  readonly ready: boolean;
  readonly state: string;
  readonly warnings: readonly string[];
  readonly total_sessions: number;
  readonly active_sessions: number;
  readonly pending_frames: number;
  readonly in_flight: number;
  readonly zones: readonly ZoneBody[];
  readonly overload: OverloadBody;
  readonly pair: PairBody | null;
  readonly performance: PerformanceBody;
  readonly point: PointBody;
}

/** Times in seconds since 1970. */
export interface SessionBody {
  readonly session_id: string;
  readonly openid: string;
  readonly state: string;
  readonly zone: string;
  readonly create_time: number;
  readonly last_activity: number;
  readonly pending_count: number;
  readonly ordered_queue: number;
  readonly in_flight: number;
  readonly remote_addr: string;
}

/** GET /stats, as far as the session table needs it. */
export interface SessionPageBody {
  readonly sessions: readonly SessionBody[];
  readonly next_cursor: string | null;
  readonly total_sessions: number;
  readonly timestamp: number;
}

export interface OutboxFrameBody {
  readonly seq: number;
  readonly kind: string;
  readonly client_seq: number;
  readonly bytes: number;
  readonly sent: boolean;
}

/** GET /sessions/{id}. */
export interface SessionDetailBody extends SessionBody {
  readonly transport: string;
  readonly connected_at: number;
  readonly logged_in: boolean;
  readonly next_client_seq: number;
  readonly next_push_seq: number;
  readonly highest_sent: number;
  readonly acknowledged: number;
  readonly pending_bytes: number;
  readonly outbox: readonly OutboxFrameBody[];
}
