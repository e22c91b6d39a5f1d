import type { Registry } from 'prom-client';
import { exportGauge, exportLabelledTally } from './tally.js';
import type { LabelledTally } from './tally.js';

/** What the WebSocket edge counts, and the connections of all transports side by side. */
export class WsMetrics {
  readonly connections;

  /** @param rejected gatesvr_connections_rejected_total, which all transports share. */
  constructor(
    private readonly registry: Registry,
    readonly rejected: LabelledTally,
  ) {
    this.connections = exportLabelledTally(
      registry,
      'gatesvr_connections_total',
      'Client connections that were ready to carry frames, by transport',
      'transport',
      ['quic', 'websocket', 'websocket_json'],
    );
  }

  /** Gauges are read when Prometheus asks; the server names itself here once. */
  observe(source: { linkCount(): number; handshakeCount(): number }): void {
    exportGauge(
      this.registry,
      'gatesvr_websocket_connections',
      'WebSocket connections open now',
      () => source.linkCount(),
    );
    exportGauge(
      this.registry,
      'gatesvr_websocket_handshakes',
      'TCP connections that are no WebSocket yet',
      () => source.handshakeCount(),
    );
  }
}
