import type { Registry } from 'prom-client';
import { LatencyWindow } from './latency-window.js';
import { exportGauges, tallyTable } from './tally-table.js';

const TALLIES = {
  requests: ['gatesvr_upstream_requests', 'Requests sent to upstreams'],
  rejected: [
    'gatesvr_upstream_rejected_total',
    'Requests that no upstream was asked for, by reason',
    'reason',
    ['backlog', 'bytes', 'concurrency', 'no_upstream', 'stopping'],
  ],
  failures: [
    'gatesvr_upstream_failures_total',
    'Requests that an upstream failed, by the code that the client was told',
    'code',
    ['502', '504'],
  ],
  retries: [
    'gatesvr_upstream_retries_total',
    'Requests that surely were not sent and were tried on another instance',
  ],
  registrations: [
    'gatesvr_upstream_registrations_total',
    'RegisterUpstream calls, by outcome (accepted, or the error code they were refused with)',
    'outcome',
    ['accepted'],
  ],
  ejections: [
    'gatesvr_upstream_ejections_total',
    'Times that an upstream instance was taken out of its zone for being dead',
  ],
  strayAnswers: [
    'gatesvr_upstream_stray_answers_total',
    'Answers on ProcessStream that nobody waited for: late, twice, or to a question never asked',
  ],
} as const;

/** What calls to upstreams and their registrations count. */
export class UpstreamMetrics extends tallyTable(TALLIES) {
  /** From sending a request to its answer, for /performance. */
  readonly latency = new LatencyWindow();

  constructor(private readonly registry: Registry) {
    super(registry);
  }

  /** Gauges are read when Prometheus asks; the router names itself here once. */
  observe(source: {
    concurrent(): number;
    concurrentBytes(): number;
    instanceCount(): number;
    ejectedCount(): number;
    streamCount(): number;
  }): void {
    exportGauges(this.registry, [
      ['gatesvr_upstream_concurrent', 'Requests that await an upstream', () => source.concurrent()],
      [
        'gatesvr_upstream_bytes',
        'Bytes of the requests that await an upstream',
        () => source.concurrentBytes(),
      ],
      [
        'gatesvr_upstream_instances',
        'Upstream instances that are registered',
        () => source.instanceCount(),
      ],
      [
        'gatesvr_upstream_instances_ejected',
        'Upstream instances that are registered but dead',
        () => source.ejectedCount(),
      ],
      [
        'gatesvr_upstream_streams',
        'ProcessStream calls to upstreams that are open',
        () => source.streamCount(),
      ],
    ]);
  }
}
