import { tallyTable } from './tally-table.js';

const TALLIES = {
  exported: ['gatesvr_spans_exported_total', 'Spans that the collector took'],
  dropped: [
    'gatesvr_spans_dropped_total',
    'Spans that were lost, by reason: too many waited (queue), or the collector did not take them (export)',
    'reason',
    ['queue', 'export'],
  ],
} as const;

/** What becomes of spans (docs/OPERATIONS.md, "OpenTelemetry"). */
export class TracingMetrics extends tallyTable(TALLIES) {}
