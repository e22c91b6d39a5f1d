import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { OURS, OURS_STREAMING, PEER } from './contestant-names.js';
import { readResult } from './bench-result.js';
import type { BenchResult } from './bench-result.js';
import type { Row } from './row.js';

/** The modes whose results the documents show. */
const RESULT_MODES = [
  'echo',
  'rate',
  'connects',
  'idle',
  'growth',
  'fanout',
  'hostile',
  'soak',
  'restart',
  'engine',
  'callers',
] as const;
export type ResultMode = (typeof RESULT_MODES)[number];

/** What was measured, by mode; a mode that was not is missing. */
export type Results = Partial<Record<ResultMode, BenchResult>>;

/** Reads FOLDER/MODE.json of every mode that has one. */
export function readResults(folder: string): Results {
  const results: Results = {};
  for (const mode of RESULT_MODES) {
    const file = join(folder, `${mode}.json`);
    if (existsSync(file)) results[mode] = readResult(file);
  }
  return results;
}

/** The three that are compared, in one case; who was not measured is undefined. */
export interface Compared {
  readonly name: string;
  readonly ours: Row | undefined;
  readonly streaming: Row | undefined;
  readonly peer: Row | undefined;
}

/** The medians of a result, case by case in the order of their first appearance. */
export function comparedCases(result: BenchResult | undefined): Compared[] {
  const rows = result?.medians ?? [];
  const names = [...new Set(rows.map((row) => row.case))];
  return names.map((name) => {
    const of = (contestant: string) =>
      rows.find((row) => row.case === name && row.contestant === contestant);
    return { name, ours: of(OURS), streaming: of(OURS_STREAMING), peer: of(PEER) };
  });
}

/** A figure of ours divided by the same of the peer; NaN where either was not measured. */
export function against(one: Row | undefined, peer: Row | undefined, name: string): number {
  return Number(one?.[name]) / Number(peer?.[name]);
}
