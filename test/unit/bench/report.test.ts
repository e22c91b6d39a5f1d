import { afterEach, describe, expect, test } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeResult } from '../../../src/bench/report/bench-result.js';
import { PEER } from '../../../src/bench/report/contestant-names.js';
import { figure, fillMarkers, table } from '../../../src/bench/report/markdown.js';
import { medians, ratios } from '../../../src/bench/report/medians.js';
import { readResults } from '../../../src/bench/report/results.js';
import { TABLES } from '../../../src/bench/report/tables.js';
import { writeDocuments } from '../../../src/bench/report/write-documents.js';
import { sampleResults } from './sample-results.js';

const folders: string[] = [];
const newFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'gatesvr-report-'));
  folders.push(folder);
  return folder;
};

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** The same results as without the peer. */
function withoutPeer() {
  const results = sampleResults();
  for (const mode of ['echo', 'rate', 'connects'] as const) {
    const alone = results[mode].medians.filter(({ contestant }) => contestant !== PEER);
    results[mode] = { ...results[mode], medians: alone };
  }
  return results;
}

describe('medians and ratios', () => {
  const rows = [
    { contestant: 'a', case: 'x', cpu: 30 },
    { contestant: 'b', case: 'x', cpu: 100 },
    { contestant: 'a', case: 'x', cpu: 50 },
    { contestant: 'a', case: 'x', cpu: 40, series: [1, 2] },
    { contestant: 'a', case: 'y', cpu: 7 },
    { contestant: 'b', case: 'y', cpu: 14 },
  ];

  test('are of each contestant and case, in the order of their first appearance', () => {
    expect(medians(rows)).toEqual([
      { contestant: 'a', case: 'x', cpu: 40 },
      { contestant: 'b', case: 'x', cpu: 100 },
      { contestant: 'a', case: 'y', cpu: 7 },
      { contestant: 'b', case: 'y', cpu: 14 },
    ]);
  });

  test('compare the first contestant with each other one in the same case', () => {
    expect(ratios(medians(rows))).toEqual([
      { contestant: 'a : b', case: 'x', cpu: 0.4 },
      { contestant: 'a : b', case: 'y', cpu: 0.5 },
    ]);
  });
});

describe('Markdown', () => {
  test('figures have as many digits as they are worth, or say that there are none', () => {
    const texts = [12_010.4, 36.04, 4.104, 0, undefined, NaN].map((value) => figure(value));
    expect(texts).toEqual(['12,010', '36', '4.1', '0', '-', '-']);
    expect(figure(36, 'us')).toBe('36 us');
  });

  test('a table has a line for each row', () => {
    expect(table(['', 'b'], [['1', '2']])).toBe('|  | b |\n|---|---|\n| 1 | 2 |');
  });

  test('only what is between markers and was measured changes', () => {
    const page =
      'a\n<!-- bench:one -->\nold\n<!-- /bench:one -->\nb\n<!-- bench:two -->\nkept\n<!-- /bench:two -->\n';
    const filled = fillMarkers(page, (name) => (name === 'one' ? 'new' : null));
    expect(filled).toBe(page.replace('old\n', '\nnew\n\n'));
    expect(fillMarkers(filled, (name) => (name === 'one' ? 'new' : null))).toBe(filled);
  });

  test('a marker that is not closed is told', () => {
    expect(() => fillMarkers('<!-- bench:one -->\n', () => null)).toThrow('is not closed');
  });
});

describe('the tables', () => {
  test('set the streaming path and the peer beside ours, with ratios', () => {
    const echo = TABLES['echo']?.(sampleResults());
    expect(echo).toContain('Measured 2026-11-21 on 2 cores, Node v20.20.2, one round');
    expect(echo).toContain('| gateway CPU per request | 36 us | 18 us | 60 us | 0.60 / 0.30 |');
  });

  test('show no peer and no ratio where the peer was not measured', () => {
    const echo = TABLES['echo']?.(withoutPeer()) ?? '';
    const more = TABLES['more']?.(withoutPeer()) ?? '';
    expect(echo).toContain('| gateway CPU per request | 36 us | 18 us |');
    expect(echo + more.slice(0, more.indexOf('## As sessions'))).not.toMatch(
      /\| ratio|Go gateway \|/,
    );
  });

  test('say what growth, attack, loss and restarts cost', () => {
    const more = TABLES['more']?.(sampleResults());
    expect(more).toContain('| 10000 sessions | 50 us | 1.25 | 40 KB |');
    expect(more).toContain('| 10,000 mixed | 4 ms | 30 ms | 10 ms | 2.50 | 4,000 |');
    expect(more).toContain('150 MB at first, 160 MB at last, 0.01 MB a minute');
    expect(more).toContain('| 3 restarts | 9 | 7 | 800 ms | 1,200 ms | 1,300 ms |');
    expect(more).toContain('| 20,000 sessions, broadcast | 60,000 | 12.5 us | 300 ms | 80 ms |');
    expect(TABLES['engine']?.(sampleResults())).toContain(
      '| server CPU per echo | 32 us | 25.6 us | 1.25 |',
    );
  });

  test('of what was not measured are none', () => {
    for (const render of Object.values(TABLES)) expect(render({})).toBeNull();
  });
});

describe('writing the documents', () => {
  test('fills every marker of the real page, keeps its prose, and draws the chart beside it', () => {
    const [results, docs] = [newFolder(), newFolder()];
    for (const [mode, result] of Object.entries(sampleResults())) {
      writeResult(join(results, `${mode}.json`), result);
    }
    const before = readFileSync('docs/PERFORMANCE.md', 'utf8');
    writeFileSync(join(docs, 'PERFORMANCE.md'), before);
    expect(Object.keys(readResults(results))).toHaveLength(11);
    expect(writeDocuments(readResults(results), docs)).toHaveLength(2);
    const page = readFileSync(join(docs, 'PERFORMANCE.md'), 'utf8');
    for (const text of [
      '| 36 us | 18 us | 60 us |',
      '(performance.svg)',
      '## Soak',
      '| framed | 78 us |',
    ]) {
      expect(page).toContain(text);
    }
    const prose = (text: string) =>
      text.replace(/^<!-- bench:(\w+) -->[^]*?<!-- \/bench:\1 -->$/gm, '');
    expect(prose(page)).toBe(prose(before));
    expect(readFileSync(join(docs, 'performance.svg'), 'utf8')).toContain('</svg>');
  });

  test('changes nothing where nothing was measured', () => {
    const [results, docs] = [newFolder(), newFolder()];
    const before = readFileSync('docs/PERFORMANCE.md', 'utf8');
    writeFileSync(join(docs, 'PERFORMANCE.md'), before);
    writeDocuments(readResults(results), docs);
    expect(readFileSync(join(docs, 'PERFORMANCE.md'), 'utf8')).toBe(before);
  });

  test('refuses a file that is no result', () => {
    const results = newFolder();
    writeFileSync(join(results, 'echo.json'), '{}');
    expect(() => readResults(results)).toThrow('echo.json is no result of a benchmark');
  });
});
