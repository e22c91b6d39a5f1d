import type { Registry } from 'prom-client';
import { ConnectionMetrics } from './connection-metrics.js';
import { exportDurations } from './duration-tally.js';
import type { DurationTally } from './duration-tally.js';
import { LatencyWindow } from './latency-window.js';
import { SampledStage } from './sampled-stage.js';
import { exportGauges, tallyTable } from './tally-table.js';

/** Seconds; upstream answers lie between half a millisecond and the timeout of 30 s. */
const DURATION_BUCKETS = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
];

/** Two names of one measurement, both of which dashboards use (WIRE.md, "Metric names"). */
const DURATIONS = [
  {
    name: 'gatesvr_request_duration',
    help: 'Seconds from a business request to its answer',
    labels: {},
  },
  {
    name: 'gatesvr_request_duration_seconds',
    help: 'Seconds from a request to its answer, by type',
    labels: { request_type: 'business' },
  },
];

const TALLIES = {
  byType: [
    'gatesvr_qps_total',
    'Frames received from clients, by type; its rate is the load',
    'request_type',
    ['start', 'stop', 'heartbeat', 'business', 'ack'],
  ],
  bytes: [
    'gatesvr_throughput_bytes_total',
    'Frame bytes from (in) and to (out) clients',
    'direction',
    ['in', 'out'],
  ],
  totalRequests: ['gatesvr_total_requests', 'Frames received from clients'],
  errors: [
    'gatesvr_errors_total',
    'Refusals and failures told to clients, by name of the error code',
    'error_type',
    [],
  ],
  requestsRejected: [
    'gatesvr_requests_rejected_total',
    'Business requests refused before an upstream was asked, by reason',
    'reason',
    ['qps', 'session_rate'],
  ],
  started: [
    'gatesvr_sessions_started_total',
    'STARTs accepted: new, resumed, or a new incarnation of a known openid',
    'kind',
    ['new', 'resumed', 'new_incarnation'],
  ],
  ended: [
    'gatesvr_sessions_ended_total',
    'Sessions that ended, by reason',
    'reason',
    ['stop', 'session_timeout', 'resume_window', 'evicted', 'kicked'],
  ],
  authFailures: ['gatesvr_auth_failures_total', 'Tokens refused, by reason', 'reason', []],
  pushes: [
    'gatesvr_pushes_total',
    'Pushes of upstreams, by outcome (accepted, or the error code they were refused with)',
    'outcome',
    ['accepted'],
  ],
  pushesExpired: [
    'gatesvr_pushes_expired_total',
    'Accepted pushes whose client did not return in time',
  ],
} as const;

/** What sessions count. */
export class SessionMetrics extends tallyTable(TALLIES) {
  readonly startRequests = this.byType.of('start');
  readonly stopRequests = this.byType.of('stop');
  readonly heartbeatRequests = this.byType.of('heartbeat');
  readonly businessRequests = this.byType.of('business');
  readonly ackRequests = this.byType.of('ack');
  readonly bytesIn = this.bytes.of('in');
  readonly bytesOut = this.bytes.of('out');
  /** From a business request to its answer, for /performance. */
  readonly latency = new LatencyWindow();
  /** From a frame's bytes to a request that is understood, and from an answer to its frame. */
  readonly decode = new SampledStage();
  readonly encode = new SampledStage();
  readonly connections: ConnectionMetrics;
  private readonly durations: DurationTally;

  constructor(private readonly registry: Registry) {
    super(registry);
    this.durations = exportDurations(registry, DURATION_BUCKETS, DURATIONS);
    this.connections = new ConnectionMetrics(registry);
  }

  /** A business request got its answer. @param ms since it was taken. */
  answered(ms: number): void {
    this.durations.observe(ms / 1000);
    this.latency.record(ms);
  }

  /** Gauges are read when Prometheus asks; the session registry names itself here once. */
  observe(source: {
    activeCount(): number;
    detachedCount(): number;
    queuedFrames(): number;
    queuedBytes(): number;
    maxQueuedBytes(): number;
    inFlight(): number;
    currentQps(): number;
  }): void {
    exportGauges(this.registry, [
      ['gatesvr_active_connections', 'Sessions with a connection', () => source.activeCount()],
      ['gatesvr_detached_sessions', 'Sessions without a connection', () => source.detachedCount()],
      ['gatesvr_message_queue_size', 'Unacknowledged frames', () => source.queuedFrames()],
      [
        'gatesvr_outbox_bytes',
        'Memory for unacknowledged frames, all sessions together: their bytes and 200 for each',
        () => source.queuedBytes(),
      ],
      [
        'gatesvr_outbox_limit_bytes',
        'The limit of gatesvr_outbox_bytes: session.outbox_total_bytes',
        () => source.maxQueuedBytes(),
      ],
      ['gatesvr_requests_in_flight', 'Requests awaiting an answer', () => source.inFlight()],
      [
        'gatesvr_current_qps',
        'Business requests admitted per second, over qps_window_seconds',
        () => source.currentQps(),
      ],
    ]);
  }
}
