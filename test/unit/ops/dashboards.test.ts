import { describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { Metrics } from '../../../src/telemetry/metrics.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));
/** It comes with Debian's package prometheus; where it is missing the other checks have to do. */
const hasPromtool = spawnSync('promtool', ['--version']).status === 0;
const read = (...path: string[]) => readFileSync(join(root, 'deploy', ...path), 'utf8');

interface Known {
  readonly name: string;
  readonly type: unknown;
  readonly labelNames?: readonly string[];
}

/** Every metric of a gateway with its labels, also as Prometheus names the parts of a histogram. */
function knownMetrics(): Map<string, readonly string[]> {
  const metrics = new Metrics(true);
  const none = () => 0;
  metrics.quic.observe({ connectionCount: none, handshakeCount: none });
  metrics.ws.observe({ linkCount: none, handshakeCount: none });
  metrics.upstream.observe({
    concurrent: none,
    concurrentBytes: none,
    instanceCount: none,
    ejectedCount: none,
    streamCount: none,
  });
  metrics.session.observe({
    activeCount: none,
    detachedCount: none,
    queuedFrames: none,
    queuedBytes: none,
    inFlight: none,
    currentQps: none,
  });
  const known = new Map<string, readonly string[]>([['up', []]]);
  for (const { name } of metrics.registry.getMetricsAsArray()) {
    const metric = metrics.registry.getSingleMetric(name) as unknown as Known;
    const labels = metric.labelNames ?? [];
    known.set(name, labels);
    if ('buckets' in metric) {
      for (const part of ['bucket', 'sum', 'count'])
        known.set(`${name}_${part}`, [...labels, 'le']);
    }
  }
  return known;
}

/** Labels that Prometheus adds to whatever it scrapes. */
const ADDED = ['job', 'instance'];

/** Words of PromQL that are followed by a bracket or stand alone. */
const NO_METRIC =
  /^(sum|max|min|avg|by|rate|increase|changes|histogram_quantile|label_values|or|and)$/;

/** Metrics and labels of an expression that the gateway does not have. */
function unknownNames(expression: string, known: Map<string, readonly string[]>): string[] {
  const unknown: string[] = [];
  const plain = expression.replace(/\bby \(([^)]*)\)/g, '');
  for (const [, name = '', selector = ''] of plain.matchAll(/\b([a-z]\w+)\b(?:\{([^}]*)\})?/g)) {
    const inside = [...plain.matchAll(/\{[^}]*\}|\[[^\]]*\]|, instance\)/g)].map(String).join(' ');
    if (NO_METRIC.test(name) || (!known.has(name) && inside.includes(name))) continue;
    const labels = known.get(name);
    if (labels === undefined) unknown.push(name);
    for (const [, label = ''] of selector.matchAll(/(\w+)\s*(?:=~|!=|=)/g)) {
      if (!ADDED.includes(label) && labels?.includes(label) === false)
        unknown.push(`${name}{${label}}`);
    }
  }
  return unknown;
}

describe('what is deployed beside the gateway', () => {
  const known = knownMetrics();

  it('uses a check that finds what does not exist', () => {
    expect(unknownNames('sum by (le) (rate(gatesvr_nothing_total[5m]))', known)).toEqual([
      'gatesvr_nothing_total',
    ]);
    expect(unknownNames('gatesvr_total_requests{colour="red"} > 1', known)).toEqual([
      'gatesvr_total_requests{colour}',
    ]);
    expect(unknownNames('rate(gatesvr_total_requests{instance=~"$instance"}[1m])', known)).toEqual(
      [],
    );
  });

  it('alerts on metrics that exist, and says what to do', () => {
    const { groups } = parse(read('prometheus', 'alerts.yaml')) as {
      groups: { rules: { alert: string; expr: string; annotations: Record<string, string> }[] }[];
    };
    const rules = groups.flatMap((group) => group.rules);
    expect(rules.length).toBeGreaterThan(10);
    for (const { alert, expr, annotations } of rules) {
      expect([alert, unknownNames(expr, known)]).toEqual([alert, []]);
      expect(Object.keys(annotations)).toEqual(['summary', 'action']);
    }
  });

  (hasPromtool ? it : it.skip)('is what promtool takes for good', () => {
    for (const [kind, file] of [
      ['rules', 'alerts.yaml'],
      ['config', 'prometheus.yml'],
    ] as const) {
      const { status, stdout, stderr } = spawnSync(
        'promtool',
        ['check', kind, `deploy/prometheus/${file}`],
        { encoding: 'utf8' },
      );
      expect([file, status, status === 0 ? '' : stdout + stderr]).toEqual([file, 0, '']);
    }
  });

  it('draws metrics that exist, in panels that do not overlap', () => {
    const { panels } = JSON.parse(read('grafana', 'dashboards', 'gatesvr.json')) as {
      panels: {
        id: number;
        title: string;
        gridPos: { x: number; y: number; w: number };
        targets?: { expr: string }[];
      }[];
    };
    const drawn = panels.flatMap(({ targets = [], title }) =>
      targets.map(({ expr }) => ({ title, expr })),
    );
    expect(drawn.length).toBeGreaterThan(30);
    for (const { title, expr } of drawn) {
      expect([title, unknownNames(expr, known)]).toEqual([title, []]);
    }
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const places = panels.map(({ gridPos: { x, y } }) => `${x} ${y}`);
    expect(new Set(places).size).toBe(places.length);
    for (const { gridPos } of panels) expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
  });
});
