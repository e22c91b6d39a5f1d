import type { Registry } from 'prom-client';
import { exportGauge, exportTally } from './tally.js';
import type { Tally } from './tally.js';

/** What the log on disk counts. */
export class JournalMetrics {
  readonly batches: Tally;
  readonly bytes: Tally;
  readonly failures: Tally;
  readonly compactions: Tally;

  constructor(private readonly registry: Registry) {
    const tally = (name: string, help: string) => exportTally(registry, name, help);
    this.batches = tally('gatesvr_journal_batches_total', 'Batches written to the log on disk');
    this.bytes = tally('gatesvr_journal_bytes_total', 'Bytes written to the log on disk');
    this.failures = tally(
      'gatesvr_journal_failures_total',
      'Times that the log on disk could not be written',
    );
    this.compactions = tally(
      'gatesvr_journal_compactions_total',
      'Times that the log on disk was written anew, shorter',
    );
  }

  /** Gauges are read when Prometheus asks; the log names itself here once. */
  observe(log: { failing(): boolean; sizeBytes(): number; unsettled(): number }): void {
    const gauge = (name: string, help: string, read: () => number) =>
      exportGauge(this.registry, name, help, read);
    gauge('gatesvr_journal_failing', '1 while the log on disk cannot be written', () =>
      log.failing() ? 1 : 0,
    );
    gauge('gatesvr_journal_size_bytes', 'Size of the log on disk', () => log.sizeBytes());
    gauge('gatesvr_journal_unsettled', 'Pushes that wait until they are kept safe', () =>
      log.unsettled(),
    );
  }
}
