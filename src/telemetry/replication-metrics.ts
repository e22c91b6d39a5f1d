import type { Registry } from 'prom-client';
import { exportGauge, exportLabelledTally, exportTally } from './tally.js';
import type { LabelledTally, Tally } from './tally.js';

/** What the pair of gateways counts. */
export class ReplicationMetrics {
  readonly snapshots: Tally;
  readonly resyncs: LabelledTally;
  readonly promotions: LabelledTally;
  readonly fenced: Tally;
  readonly refused: LabelledTally;
  readonly unshared: LabelledTally;

  constructor(private readonly registry: Registry) {
    this.snapshots = exportTally(
      registry,
      'gatesvr_replication_snapshots_total',
      'Snapshots begun for a standby',
    );
    this.resyncs = exportLabelledTally(
      registry,
      'gatesvr_replication_resyncs_total',
      'Streams to or from the peer that had to begin again, by reason',
      'reason',
      ['slow', 'broken', 'lost'],
    );
    this.promotions = exportLabelledTally(
      registry,
      'gatesvr_replication_promotions_total',
      'Promotions of this gateway to primary, by whether they were planned',
      'kind',
      ['planned', 'failover'],
    );
    this.fenced = exportTally(
      registry,
      'gatesvr_replication_fenced_total',
      'Messages of the peer ignored because they were of a former process, or out of order',
    );
    this.refused = exportLabelledTally(
      registry,
      'gatesvr_replication_refused_total',
      'Calls on the replication ports refused, by reason',
      'reason',
      ['address', 'proof', 'cluster', 'version', 'garbage'],
    );
    this.unshared = exportLabelledTally(
      registry,
      'gatesvr_replication_unshared_pushes_total',
      'Pushes that only this gateway held when it was deposed: offered to the primary, what it said, and untold ones',
      'outcome',
      ['offered', 'accepted', 'refused', 'untold'],
    );
  }

  /** Gauges are read when Prometheus asks; only a gateway of a pair has them. */
  observe(source: {
    isPrimary(): boolean;
    isDegraded(): boolean;
    isInSync(): boolean;
    epoch(): number;
    lag(): { readonly frames: number; readonly bytes: number; readonly ms: number };
  }): void {
    const gauge = (name: string, help: string, read: () => number) =>
      exportGauge(this.registry, name, help, read);
    gauge('gatesvr_replication_primary', '1 on the primary, 0 on the backup', () =>
      Number(source.isPrimary()),
    );
    gauge('gatesvr_replication_in_sync', '1 while the backup may take over', () =>
      Number(source.isInSync()),
    );
    gauge(
      'gatesvr_replication_degraded',
      '1 while sync mode does not have the confirmations that it promises',
      () => Number(source.isDegraded()),
    );
    gauge('gatesvr_replication_epoch', 'Epoch of the journal', () => source.epoch());
    gauge(
      'gatesvr_replication_lag_frames',
      'Journal entries that the standby has not confirmed',
      () => source.lag().frames,
    );
    gauge(
      'gatesvr_replication_lag_bytes',
      'Bytes on their way to the standby, or waiting; 0 without a stream',
      () => source.lag().bytes,
    );
    gauge(
      'gatesvr_replication_lag_ms',
      'Age of the oldest part that the standby has not confirmed; without a stream, since that was lost',
      () => source.lag().ms,
    );
  }
}
