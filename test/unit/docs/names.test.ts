import { describe, expect, it } from '@jest/globals';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { REFUSALS } from '../../../src/auth/token-verdict.js';
import { IGNORED_KEYS, leaves, schema } from '../../../src/config/schema.js';
import { everyMetric } from '../../support/every-metric.js';

const folder = (path: string): string[] =>
  readdirSync(path)
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(path, name));

const pages = [
  ...['.', 'docs', 'docs/models'].flatMap(folder),
  'deploy/README.md',
  'examples/README.md',
];
const textOf = (page: string): string => readFileSync(page, 'utf8');

/** Everything that can be asked for at :9090/metrics. */
function metricNames(): Set<string> {
  const names = everyMetric()
    .registry.getMetricsAsArray()
    .map(({ name }) => name);
  return new Set(names.flatMap((name) => [name, `${name}_bucket`, `${name}_sum`, `${name}_count`]));
}

/** Every key, and every section, with its path. */
function keyPaths(): Set<string> {
  const paths = new Set<string>(IGNORED_KEYS);
  for (const [path] of leaves()) {
    const parts = path.split('.');
    for (let length = 1; length <= parts.length; length++) {
      paths.add(parts.slice(0, length).join('.'));
    }
  }
  return paths;
}

/** Every text in the sources, as a page writes it: what varies is `…`. */
function sourceTexts(): string {
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' });
  return files
    .filter((name) => name.endsWith('.ts') && !name.includes('generated'))
    .map((name) => readFileSync(join('src', name), 'utf8'))
    .join('\n')
    .replaceAll(/\$\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}/g, '…')
    .replaceAll('……', '…')
    .replaceAll("' + workerData.seconds + '", '…');
}

describe('the documentation', () => {
  it.each(pages)('%s names no metric that does not exist', (page) => {
    const known = metricNames();
    const named = textOf(page).match(/\b(?:gatesvr|nodejs)_[a-z0-9_]+\b/g) ?? [];
    expect(named.filter((name) => !known.has(name))).toEqual([]);
  });

  it.each(pages)('%s names no configuration key that does not exist', (page) => {
    const known = keyPaths();
    const sections = Object.keys(schema).join('|');
    const pattern = new RegExp(`\`((?:${sections})\\.[a-z_.]+)(?:: [^\`]*)?\``, 'g');
    const named = [...textOf(page).matchAll(pattern)].map(([, path = '']) => path);
    expect(named.filter((path) => !known.has(path))).toEqual([]);
  });

  it.each(pages)('%s links to pages that exist', (page) => {
    const links = [...textOf(page).matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map(
      ([, to = '']) => to,
    );
    expect(links.filter((to) => !existsSync(join(dirname(page), to)))).toEqual([]);
  });

  it.each(pages)('%s links to headings that exist', (page) => {
    const text = textOf(page);
    const anchors = [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\w\s-]/g, '')
        .replaceAll(' ', '-'),
    );
    const links = [...text.matchAll(/\]\(#([^)]+)\)/g)].map(([, to = '']) => to);
    expect(links.filter((to) => !anchors.includes(to))).toEqual([]);
  });
});

describe('docs/TROUBLESHOOTING.md', () => {
  const text = textOf('docs/TROUBLESHOOTING.md');
  const edge = readdirSync('src/edge').map((name) => textOf(join('src/edge', name)));
  const refusals = edge.flatMap(
    (source) => source.match(/(?<=')(?:ws|http3|webtransport)_[a-z_]+(?=')/g) ?? [],
  );

  it('has each reason for which connections and tokens are refused', () => {
    expect(refusals.length).toBeGreaterThan(8);
    const reasons = new Set([...refusals, ...REFUSALS]);
    expect([...reasons].filter((reason) => !text.includes(`\`${reason}\``))).toEqual([]);
  });

  const sources = sourceTexts();
  const quoted = [
    ...text.matchAll(/\b(?:log|says|warns|[Dd]etail|Warning|ends with|50[24]|or)\s+`([^`]+)`/gi),
    ...text.matchAll(/^\| `([^`]+)`(?: \|.*){2}$/gm),
  ].map(([, line = '']) => line);
  const lines = new Set(quoted.filter((line) => / /.test(line)));

  it('quotes enough to be of use', () => {
    expect(lines.size).toBeGreaterThan(40);
  });

  it.each([...lines])('quotes what the gateway says: %s', (line) => {
    expect(sources.includes(line)).toBe(true);
  });
});
