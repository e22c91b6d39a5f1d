import type { Registry } from 'prom-client';
import { exportLabelledTally, exportTally } from './tally.js';

/** What calls to upstreams and their registrations count. */
export class UpstreamMetrics {
  readonly requests;
  readonly rejected;

  constructor(registry: Registry) {
    this.requests = exportTally(
      registry,
      'gatesvr_upstream_requests',
      'Requests sent to upstreams',
    );
    this.rejected = exportLabelledTally(
      registry,
      'gatesvr_upstream_rejected_total',
      'Requests that no upstream was asked for, by reason',
      'reason',
    );
  }
}
