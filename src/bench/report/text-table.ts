import type { Row } from './row.js';

/** Figures that are no whole numbers are shown so: what a reader compares has three digits. */
const DIGITS = 3;

/** Rows as lines of aligned columns, for a terminal; a figure that a row lacks is a dash. */
export function textTable(rows: readonly Row[]): string[] {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const lines = [names, ...rows.map((row) => names.map((name) => shown(row[name])))];
  const widths = names.map((_, column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0)),
  );
  return lines.map((line) =>
    line
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return column < 2 ? cell.padEnd(width) : cell.padStart(width);
      })
      .join('  ')
      .trimEnd(),
  );
}

function shown(value: Row[string] | undefined): string {
  if (value === undefined) return '-';
  if (typeof value === 'string') return value;
  if (typeof value !== 'number') return `${value.length} values`;
  if (Number.isInteger(value) || Math.abs(value) >= 1_000)
    return Math.round(value).toLocaleString('en-US');
  return Number(value.toPrecision(DIGITS)).toString();
}
