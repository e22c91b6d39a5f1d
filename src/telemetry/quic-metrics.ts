import type { Registry } from 'prom-client';
import { exportGauge, exportLabelledTally, exportTally } from './tally.js';

/** What the QUIC engine counts. */
export class QuicMetrics {
  readonly connections;
  readonly rejected;
  readonly ended;
  readonly datagramsDropped;
  readonly answered;
  readonly addressChanges;
  readonly streamsRefused;
  readonly keepalives;

  constructor(private readonly registry: Registry) {
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
    this.ended = exportLabelledTally(
      registry,
      'gatesvr_quic_connections_ended_total',
      'QUIC connections that ended, by cause',
      'cause',
      ['peer', 'local', 'loss', 'handshake'],
    );
    this.datagramsDropped = exportLabelledTally(
      registry,
      'gatesvr_quic_datagrams_dropped_total',
      'Datagrams ignored, by reason',
      'reason',
      ['malformed', 'unknown_connection', 'elsewhere', 'send_queue'],
    );
    this.answered = exportLabelledTally(
      registry,
      'gatesvr_quic_stateless_answers_total',
      'Packets sent without a connection, by kind',
      'kind',
      ['retry', 'version_negotiation', 'reset', 'close'],
    );
    this.addressChanges = exportTally(
      registry,
      'gatesvr_quic_address_changes_total',
      'Connections that followed their peer to another address',
    );
    this.streamsRefused = exportTally(
      registry,
      'gatesvr_quic_streams_refused_total',
      'Streams that clients opened besides their first',
    );
    this.keepalives = exportTally(
      registry,
      'gatesvr_quic_keepalives_total',
      'PINGs sent to keep quiet connections alive',
    );
  }

  /** Gauges are read when Prometheus asks; the server names itself here once. */
  observe(source: { connectionCount(): number; handshakeCount(): number }): void {
    exportGauge(this.registry, 'gatesvr_quic_connections', 'QUIC connections open now', () =>
      source.connectionCount(),
    );
    exportGauge(this.registry, 'gatesvr_quic_handshakes', 'QUIC handshakes under way', () =>
      source.handshakeCount(),
    );
  }
}
