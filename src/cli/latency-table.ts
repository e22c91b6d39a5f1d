import type { LatencyFigures } from '../bench/client/latency-recorder.js';

const COLUMNS = ['count', 'mean', 'p50', 'p90', 'p99', 'p99_9', 'max'] as const;
const WIDTH = 10;

/** Latencies as a table, a row each, ms. */
export function latencyTable(rows: readonly (readonly [string, LatencyFigures])[]): string {
  const label = Math.max(...rows.map(([name]) => name.length), 'ms'.length) + 1;
  const head = COLUMNS.map((name) => name.replace('_', '.').padStart(WIDTH)).join('');
  const lines = rows.map(([name, figures]) => {
    const cells = COLUMNS.map((column) =>
      (column === 'count' ? String(figures.count) : shortMs(figures[column])).padStart(WIDTH),
    );
    return `${name.padEnd(label)}${cells.join('')}\n`;
  });
  return `${'ms'.padEnd(label)}${head}\n${lines.join('')}`;
}

/** Three digits that matter, and no more than microseconds. */
export function shortMs(ms: number): string {
  if (ms >= 100) return ms.toFixed(0);
  return ms >= 10 ? ms.toFixed(1) : ms >= 1 ? ms.toFixed(2) : ms.toFixed(3);
}
