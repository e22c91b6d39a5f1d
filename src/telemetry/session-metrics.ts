import { Histogram } from 'prom-client';
import type { Registry } from 'prom-client';
import { ConnectionMetrics } from './connection-metrics.js';
import { LatencyWindow } from './latency-window.js';
import { exportGauge, exportLabelledTally, exportTally } from './tally.js';
import type { Tally } from './tally.js';

/** Seconds; upstream answers lie between half a millisecond and the timeout of 30 s. */
const DURATION_BUCKETS = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
];

/** What sessions count. */
export class SessionMetrics {
  readonly totalRequests;
  readonly startRequests: Tally;
  readonly stopRequests: Tally;
  readonly heartbeatRequests: Tally;
  readonly businessRequests: Tally;
  readonly ackRequests: Tally;
  readonly errors;
  readonly bytesIn: Tally;
  readonly bytesOut: Tally;
  readonly requestsRejected;
  readonly duration: Histogram;
  readonly durationByType: Histogram;
  /** Business requests, for /performance. */
  readonly latency = new LatencyWindow();
  /** The child of `durationByType` for business requests, and `latency`. */
  readonly businessDuration: { observe(seconds: number): void };
  readonly started;
  readonly ended;
  readonly authFailures;
  readonly connections: ConnectionMetrics;
  readonly pushes;
  readonly pushesExpired;

  constructor(private readonly registry: Registry) {
    const tally = (name: string, help: string) => exportTally(registry, name, help);
    const labelled = (name: string, help: string, label: string, known: string[] = []) =>
      exportLabelledTally(registry, name, help, label, known);
    const histogram = (name: string, help: string, labelNames: string[]) =>
      new Histogram({ name, help, labelNames, buckets: DURATION_BUCKETS, registers: [registry] });
    this.totalRequests = tally('gatesvr_total_requests', 'Frames received from clients');
    const byType = labelled(
      'gatesvr_qps_total',
      'Frames received from clients, by type; its rate is the load',
      'request_type',
      ['start', 'stop', 'heartbeat', 'business', 'ack'],
    );
    this.startRequests = byType.of('start');
    this.stopRequests = byType.of('stop');
    this.heartbeatRequests = byType.of('heartbeat');
    this.businessRequests = byType.of('business');
    this.ackRequests = byType.of('ack');
    this.errors = labelled(
      'gatesvr_errors_total',
      'Refusals and failures told to clients, by name of the error code',
      'error_type',
    );
    const bytes = labelled(
      'gatesvr_throughput_bytes_total',
      'Frame bytes from (in) and to (out) clients',
      'direction',
      ['in', 'out'],
    );
    this.bytesIn = bytes.of('in');
    this.bytesOut = bytes.of('out');
    this.requestsRejected = labelled(
      'gatesvr_requests_rejected_total',
      'Business requests refused before an upstream was asked, by reason',
      'reason',
      ['qps', 'session_rate'],
    );
    this.duration = histogram(
      'gatesvr_request_duration',
      'Seconds from a business request to its answer',
      [],
    );
    this.durationByType = histogram(
      'gatesvr_request_duration_seconds',
      'Seconds from a request to its answer, by type',
      ['request_type'],
    );
    const business = this.durationByType.labels('business');
    this.businessDuration = {
      observe: (seconds) => {
        business.observe(seconds);
        this.latency.record(seconds * 1000);
      },
    };
    this.started = labelled(
      'gatesvr_sessions_started_total',
      'STARTs accepted: new, resumed, or a new incarnation of a known openid',
      'kind',
      ['new', 'resumed', 'new_incarnation'],
    );
    this.ended = labelled(
      'gatesvr_sessions_ended_total',
      'Sessions that ended, by reason',
      'reason',
      ['stop', 'session_timeout', 'resume_window', 'evicted', 'kicked', 'shutdown'],
    );
    this.authFailures = labelled(
      'gatesvr_auth_failures_total',
      'Tokens refused, by reason',
      'reason',
    );
    this.connections = new ConnectionMetrics(registry);
    this.pushes = labelled(
      'gatesvr_pushes_total',
      'Pushes of upstreams, by outcome (accepted, or the error code they were refused with)',
      'outcome',
      ['accepted'],
    );
    this.pushesExpired = tally(
      'gatesvr_pushes_expired_total',
      'Accepted pushes whose client did not return in time',
    );
  }

  /** Gauges are read when Prometheus asks; the session registry names itself here once. */
  observe(source: {
    activeCount(): number;
    detachedCount(): number;
    queuedFrames(): number;
    inFlight(): number;
    currentQps(): number;
  }): void {
    exportGauge(this.registry, 'gatesvr_active_connections', 'Sessions with a connection', () =>
      source.activeCount(),
    );
    exportGauge(this.registry, 'gatesvr_detached_sessions', 'Sessions without a connection', () =>
      source.detachedCount(),
    );
    exportGauge(this.registry, 'gatesvr_message_queue_size', 'Unacknowledged frames', () =>
      source.queuedFrames(),
    );
    exportGauge(this.registry, 'gatesvr_requests_in_flight', 'Requests awaiting an answer', () =>
      source.inFlight(),
    );
    exportGauge(
      this.registry,
      'gatesvr_current_qps',
      'Business requests admitted per second, over qps_window_seconds',
      () => source.currentQps(),
    );
  }
}
