import type { Row } from './row.js';

/** Labels rather than figures. */
const LABELS = ['contestant', 'case'];

/** The median of every figure, a row per contestant and case, in the order of their first appearance. */
export function medians(rows: readonly Row[]): Row[] {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const key = `${row.contestant}\n${row.case}`;
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups.values()].map((group) => {
    const [first] = group as [Row];
    const figures = Object.keys(first).flatMap((key) => {
      const values = group.map((each) => each[key]).filter((value) => typeof value === 'number');
      return values.length > 0 ? [[key, median(values)] as const] : [];
    });
    return { contestant: first.contestant, case: first.case, ...Object.fromEntries(figures) };
  });
}

/** Every figure of the first contestant divided by that of each other one, case by case. */
export function ratios(rows: readonly Row[]): Row[] {
  const ours = rows[0]?.contestant;
  return rows.flatMap((other) => {
    if (other.contestant === ours) return [];
    const first = rows.find((row) => row.contestant === ours && row.case === other.case);
    return first === undefined ? [] : [ratio(first, other)];
  });
}

function ratio(first: Row, other: Row): Row {
  const figures = Object.entries(first).flatMap(([key, value]) => {
    const theirs = other[key];
    if (LABELS.includes(key) || typeof value !== 'number') return [];
    if (typeof theirs !== 'number' || theirs === 0) return [];
    return [[key, Number((value / theirs).toFixed(3))] as const];
  });
  const contestant = `${first.contestant} : ${other.contestant}`;
  return { contestant, case: first.case, ...Object.fromEntries(figures) };
}

/** The middle one, or the mean of the two in the middle; 0 of nothing. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? 0)) / 2;
}
