import type { Registry } from 'prom-client';
import { exportLabelledTally, exportTally } from './tally.js';

/** What the QUIC engine counts. */
export class QuicMetrics {
  readonly connections;
  readonly rejected;

  constructor(registry: Registry) {
    this.connections = exportTally(
      registry,
      'gatesvr_quic_connections_total',
      'QUIC connections whose handshake was completed',
    );
    this.rejected = exportLabelledTally(
      registry,
      'gatesvr_connections_rejected_total',
      'Connections refused, by reason',
      'reason',
    );
  }
}
