import { describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { everyMetric } from '../../support/every-metric.js';

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
  const { registry } = everyMetric();
  const known = new Map<string, readonly string[]>([['up', []]]);
  for (const { name } of registry.getMetricsAsArray()) {
    const metric = registry.getSingleMetric(name) as unknown as Known;
    const labels = metric.labelNames ?? [];
    known.set(name, labels);
    if ('buckets' in metric) {
      for (const part of ['bucket', 'sum', 'count'])
        known.set(`${name}_${part}`, [...labels, 'le']);
    }
  }
  return known;
}

/** What no operator may have to find out by looking: each has an alert and a place on the dashboard. */
const WATCHED = [
  'gatesvr_journal_failing',
  'gatesvr_replication_primary',
  'gatesvr_replication_in_sync',
  'gatesvr_replication_degraded',
  'gatesvr_replication_promotions_total',
  'gatesvr_upstream_rejected_total',
  'gatesvr_upstream_instances_ejected',
  'gatesvr_disconnects_total',
  'gatesvr_outbox_bytes',
  'gatesvr_health_warnings',
  'gatesvr_certificate_not_after_seconds',
];

/** Labels that Prometheus adds to whatever it scrapes. */
const ADDED = ['job', 'instance'];

/** Words of PromQL that are followed by a bracket or stand alone. */
const NO_METRIC =
  /^(sum|count|max|min|avg|by|rate|increase|changes|histogram_quantile|label_values|or|and|time)$/;

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
  const { groups } = parse(read('prometheus', 'alerts.yaml')) as {
    groups: { rules: { alert: string; expr: string; annotations: Record<string, string> }[] }[];
  };
  const rules = groups.flatMap((group) => group.rules);
  const { panels } = JSON.parse(read('grafana', 'dashboards', 'gatesvr.json')) as {
    panels: {
      id: number;
      title: string;
      gridPos: { x: number; y: number; w: number };
      targets?: { expr: string }[];
    }[];
  };

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
    expect(rules.length).toBeGreaterThan(10);
    for (const { alert, expr, annotations } of rules) {
      expect([alert, unknownNames(expr, known)]).toEqual([alert, []]);
      expect(Object.keys(annotations)).toEqual(['summary', 'action']);
    }
  });

  it.each(WATCHED)('alerts on %s, and draws it', (metric) => {
    const named = new RegExp(`\\b${metric}\\b`);
    expect(rules.some(({ expr }) => named.test(expr))).toBe(true);
    expect(panels.some(({ targets = [] }) => targets.some(({ expr }) => named.test(expr)))).toBe(
      true,
    );
  });

  /** What is born at N has an increase of 0: an alert would miss the first time that it counts. */
  it('alerts on no increase of a series that a fresh gateway does not export', async () => {
    const fresh = (await everyMetric().registry.metrics()).split('\n');
    const missing: string[] = [];
    for (const { alert, expr } of rules) {
      for (const [, name = '', selector = ''] of expr.matchAll(
        /increase\((\w+)(?:\{([^}]*)\})?\[/g,
      )) {
        const pairs = selector.split(',').filter((pair) => pair !== '');
        expect([alert, pairs.every((pair) => /^\w+="[^"]*"$/.test(pair))]).toEqual([alert, true]);
        const exported = fresh.some(
          (line) => /^\w+/.exec(line)?.[0] === name && pairs.every((pair) => line.includes(pair)),
        );
        if (!exported) missing.push(`${alert}: ${name}{${selector}}`);
      }
    }
    expect(missing).toEqual([]);
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

  (hasPromtool ? it : it.skip)('alerts when it should, and not before', () => {
    const { status, stdout, stderr } = spawnSync(
      'promtool',
      ['test', 'rules', 'test/unit/ops/alerts.promtool.yaml'],
      { encoding: 'utf8' },
    );
    expect([status, status === 0 ? '' : stdout + stderr]).toEqual([0, '']);
  });

  it('draws metrics that exist, in panels that do not overlap', () => {
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
