import type { BenchResult } from './bench-result.js';
import type { Row } from './row.js';
import { figure, ratioText, table } from './markdown.js';
import { against, comparedCases } from './results.js';
import type { Compared } from './results.js';

/** One line of a comparison: what it is called, which figure, its unit. */
type Line = readonly [label: string, figure: string, unit: string];

/** `Measured 2026-11-21 on 2 cores, Node v20.20.2, 3 rounds, load average before: 0.4.` */
export function caption({ measuredAt, machine, rounds, medians }: BenchResult): string {
  const times = Math.round(rounds.length / Math.max(1, medians.length));
  const parts = [
    `Measured ${measuredAt.slice(0, 10)} on ${machine.cores} cores, Node ${machine.node}`,
    times > 1 ? `medians of ${times} rounds` : 'one round',
    `load average before: ${machine.loadBefore}`,
  ];
  return `${parts.join(', ')}.`;
}

/**
 * Our gateway, its streaming path and the peer side by side; a column for everyone that was measured
 * in this run, and ratios only where the peer was: figures of different runs do not compare.
 */
export function comparison(
  cases: readonly Compared[],
  lines: readonly Line[],
  withCase = cases.length > 1,
): string {
  const streaming = cases.some((each) => each.streaming !== undefined);
  const peer = cases.some((each) => each.peer !== undefined);
  const header = ['', 'GateSvr'];
  if (streaming) header.push('GateSvr, ProcessStream');
  if (peer) header.push('lean Go gateway', streaming ? 'ratio, unary / stream' : 'ratio');
  const rows = cases.flatMap((each) =>
    lines.map(([label, name, unit]) => {
      const cell = (row: Row | undefined) => figure(row?.[name], unit);
      const cells = [withCase ? `${each.name}: ${label}` : label, cell(each.ours)];
      if (streaming) cells.push(cell(each.streaming));
      if (peer) cells.push(cell(each.peer), ratioCell(each, name, streaming));
      return cells;
    }),
  );
  return table(header, rows);
}

function ratioCell({ ours, streaming, peer }: Compared, name: string, both: boolean): string {
  const unary = ratioText(against(ours, peer, name));
  return both ? `${unary} / ${ratioText(against(streaming, peer, name))}` : unary;
}

/** A comparison of a whole result under its caption. */
export function comparisonOf(result: BenchResult, lines: readonly Line[]): string {
  return `${caption(result)}\n\n${comparison(comparedCases(result), lines)}`;
}
