import type { Registry } from 'prom-client';
import { SampledStage } from './sampled-stage.js';
import type { LabelledTally } from './tally.js';
import { exportGauges, tallyTable } from './tally-table.js';

const TALLIES = {
  connections: [
    'gatesvr_connections_total',
    'Client connections that were taken, by transport; refused ones are in gatesvr_connections_rejected_total',
    'transport',
    ['quic', 'http3', 'webtransport', 'websocket', 'websocket_json'],
  ],
} as const;

/** What the WebSocket edge counts, and the connections of all transports side by side. */
export class WsMetrics extends tallyTable(TALLIES) {
  /**
   * @param rejected gatesvr_connections_rejected_total, which all transports share.
   * @param flush as QuicMetrics has it; one for all transports.
   */
  constructor(
    private readonly registry: Registry,
    readonly rejected: LabelledTally,
    readonly flush = new SampledStage(),
  ) {
    super(registry);
  }

  /** Gauges are read when Prometheus asks; the server names itself here once. */
  observe(source: { linkCount(): number; handshakeCount(): number }): void {
    exportGauges(this.registry, [
      ['gatesvr_websocket_connections', 'WebSocket connections open now', () => source.linkCount()],
      [
        'gatesvr_websocket_handshakes',
        'TCP connections that are no WebSocket yet',
        () => source.handshakeCount(),
      ],
    ]);
  }
}
