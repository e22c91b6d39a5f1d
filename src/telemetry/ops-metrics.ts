import type { Registry } from 'prom-client';
import { exportTally } from './tally.js';

/** What the operators' API counts. */
export class OpsMetrics {
  /** A log line each would let whoever guesses tokens fill the disk. */
  readonly adminRefused;

  readonly readsRefused;

  constructor(registry: Registry) {
    this.adminRefused = exportTally(
      registry,
      'gatesvr_admin_refused_total',
      'Calls that only admins may make, by someone who is none',
    );
    this.readsRefused = exportTally(
      registry,
      'gatesvr_reads_refused_total',
      'Calls of endpoints that ops.read_token protects, by someone without it',
    );
  }
}
