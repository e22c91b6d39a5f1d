type Row = Record<string, number | string>;

/** The median of every figure, a row per contestant, in the order in which they first appear. */
export function medians(results: readonly object[]): Row[] {
  const byContestant = new Map<string, Row[]>();
  for (const result of results as Row[]) {
    const name = String(result['contestant']);
    byContestant.set(name, [...(byContestant.get(name) ?? []), result]);
  }
  return [...byContestant].map(([contestant, rows]) => {
    const row: Row = { contestant };
    for (const key of Object.keys(rows[0] ?? {})) {
      const figures = rows.map((each) => each[key]).filter((value) => typeof value === 'number');
      if (figures.length > 0) row[key] = median(figures);
    }
    return row;
  });
}

/** Every figure of the first contestant divided by that of each other one. */
export function ratios(rows: readonly Row[]): Row[] {
  const [first, ...others] = rows;
  if (first === undefined) return [];
  return others.map((other) => {
    const row: Row = { contestant: `${first['contestant']} : ${other['contestant']}` };
    for (const [key, value] of Object.entries(first)) {
      const theirs = other[key];
      if (typeof value === 'number' && typeof theirs === 'number' && theirs !== 0) {
        row[key] = Number((value / theirs).toFixed(3));
      }
    }
    return row;
  });
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? 0)) / 2;
}
