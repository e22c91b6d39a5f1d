import type { Metric } from 'prom-client';
import { Metrics } from './metrics.js';

/** What a metric of prom-client knows of itself. */
type Described = Metric & {
  readonly name: string;
  readonly help: string;
  readonly labelNames?: readonly string[];
};

const INTRODUCTION = `# Metrics

<!-- written by \`npm run docs\` from src/telemetry; do not edit -->

Everything at \`/metrics\` of \`server.metrics_addr\`. What to watch of it is in
[alerts.yaml](../deploy/prometheus/alerts.yaml) and on the [dashboard](../deploy/grafana/dashboards/gatesvr.json). No label takes
unbounded values: sessions are in \`/stats\`, not in metrics. Values of a label that are named here are exported from the
start, at 0; others appear when they first count. A histogram has \`_bucket\`, \`_sum\` and \`_count\`. The gauges of the journal need
\`journal.path\`, those of replication a pair.
`;

/** docs/METRICS.md: every metric that a gateway with all its parts exports. */
export async function renderMetrics(): Promise<string> {
  const all = everyMetric();
  const ours = all.filter(({ name }) => name.startsWith('gatesvr_'));
  const platform = all.filter((metric) => !ours.includes(metric));
  return [
    INTRODUCTION,
    '## Of the gateway\n',
    await table(ours),
    '## Of the process\n',
    await table(platform),
  ].join('\n');
}

/** By name. */
function everyMetric(): Described[] {
  const metrics = new Metrics(true);
  for (const part of Object.values(metrics) as { observe?: (source: object) => void }[]) {
    // What gauges read is never asked: it is about their names.
    part.observe?.({});
  }
  const all = metrics.registry.getMetricsAsArray() as unknown as Described[];
  return all.sort((one, other) => (one.name < other.name ? -1 : 1));
}

async function table(metrics: readonly Described[]): Promise<string> {
  const rows = ['| metric | kind | labels | meaning |', '|---|---|---|---|'];
  for (const metric of metrics) {
    const kind = metric.constructor.name.toLowerCase();
    const labels = kind === 'counter' ? await knownValues(metric) : (metric.labelNames ?? []);
    rows.push(`| \`${metric.name}\` | ${kind} | ${labels.join('; ')} | ${metric.help} |`);
  }
  return `${rows.join('\n')}\n`;
}

/** Each label of a counter with the values that it has from the start. */
async function knownValues(metric: Described): Promise<string[]> {
  const { values } = await metric.get();
  return (metric.labelNames ?? []).map((label) => {
    const known = new Set(values.map(({ labels }) => labels[label]).filter(Boolean));
    return known.size === 0 ? label : `${label}: ${[...known].join(', ')}`;
  });
}
