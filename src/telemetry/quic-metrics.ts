import type { Registry } from 'prom-client';
import { SampledStage } from './sampled-stage.js';
import { exportGauges, tallyTable } from './tally-table.js';

const TALLIES = {
  connections: ['gatesvr_quic_connections_total', 'QUIC connections whose handshake was completed'],
  rejected: ['gatesvr_connections_rejected_total', 'Connections refused, by reason', 'reason', []],
  ended: [
    'gatesvr_quic_connections_ended_total',
    'QUIC connections that ended, by cause',
    'cause',
    ['peer', 'local', 'loss', 'handshake'],
  ],
  datagrams: ['gatesvr_quic_datagrams_received_total', 'UDP datagrams read'],
  datagramsDropped: [
    'gatesvr_quic_datagrams_dropped_total',
    'Datagrams ignored, by reason',
    'reason',
    ['malformed', 'unknown_connection', 'elsewhere', 'send_queue', 'send_error'],
  ],
  answered: [
    'gatesvr_quic_stateless_answers_total',
    'Packets sent without a connection, by kind',
    'kind',
    ['retry', 'version_negotiation', 'reset', 'close'],
  ],
  addressChanges: [
    'gatesvr_quic_address_changes_total',
    'Connections that followed their peer to another address',
  ],
  streamsRefused: [
    'gatesvr_quic_streams_refused_total',
    'Streams that clients opened besides their first',
  ],
  keepalives: ['gatesvr_quic_keepalives_total', 'PINGs sent to keep quiet connections alive'],
} as const;

/** What the QUIC engine counts. */
export class QuicMetrics extends tallyTable(TALLIES) {
  /** Sending what one turn of the event loop wrote, for /performance. */
  readonly flush = new SampledStage();

  constructor(private readonly registry: Registry) {
    super(registry);
  }

  /** Gauges are read when Prometheus asks; the server names itself here once. */
  observe(source: { connectionCount(): number; handshakeCount(): number }): void {
    exportGauges(this.registry, [
      ['gatesvr_quic_connections', 'QUIC connections open now', () => source.connectionCount()],
      ['gatesvr_quic_handshakes', 'QUIC handshakes under way', () => source.handshakeCount()],
    ]);
  }
}
