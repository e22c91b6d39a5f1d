import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chartOf } from './chart.js';
import { fillMarkers } from './markdown.js';
import type { Results } from './results.js';
import { TABLES } from './tables.js';

/** The chart, beside the page that shows it. */
const CHART = 'performance.svg';
const PAGE = 'PERFORMANCE.md';

/**
 * Writes what was measured into docs/PERFORMANCE.md, between its markers, and draws docs/performance.svg.
 * What was not measured stays as it is; all other text, too.
 * @returns what was written.
 */
export function writeDocuments(results: Results, docsFolder: string): readonly string[] {
  const chart = chartOf(results);
  const page = join(docsFolder, PAGE);
  const filled = fillMarkers(readFileSync(page, 'utf8'), (name) => render(name, results, chart));
  const written = [page];
  if (chart !== null) {
    const picture = join(docsFolder, CHART);
    writeFileSync(picture, chart);
    written.push(picture);
  }
  writeFileSync(page, filled);
  return written;
}

function render(name: string, results: Results, chart: string | null): string | null {
  if (name === 'chart') {
    return chart === null ? null : `![What a request and a connect cost](${CHART})`;
  }
  const renderer = TABLES[name];
  if (renderer === undefined) throw new Error(`docs/${PAGE} has a marker bench:${name} too many`);
  return renderer(results);
}
