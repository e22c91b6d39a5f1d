import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import { dirname } from 'node:path';
import { medians, ratios } from './medians.js';
import type { Row } from './row.js';

/** What one mode of the benchmarks found; the content of bench-results/MODE.json. */
export interface BenchResult {
  readonly mode: string;
  /** ISO 8601. */
  readonly measuredAt: string;
  readonly machine: Machine;
  /** The options that it ran with, as on the command line. */
  readonly options: string;
  /** In the order in which they were measured. */
  readonly rounds: readonly Row[];
  /** Over the rounds of each contestant and case. */
  readonly medians: readonly Row[];
  /** Every figure of the first contestant divided by that of each other one, case by case. */
  readonly ratios: readonly Row[];
}

export interface Machine {
  readonly cores: number;
  readonly memoryGiB: number;
  readonly node: string;
  readonly platform: string;
  /** Load average of the last minute when the mode began: above 1 someone else was at work. */
  readonly loadBefore: number;
}

/** The machine as it is now. */
export function thisMachine(): Machine {
  return {
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    loadBefore: Number((loadavg()[0] ?? 0).toFixed(2)),
  };
}

/** A result of these rounds, measured now. */
export function resultOf(
  mode: string,
  options: string,
  machine: Machine,
  rounds: readonly Row[],
): BenchResult {
  const middle = medians(rounds);
  const measuredAt = new Date().toISOString();
  return { mode, measuredAt, machine, options, rounds, medians: middle, ratios: ratios(middle) };
}

/** Writes a result as JSON, creating its folder. */
export function writeResult(file: string, result: BenchResult): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
}

/** @throws {Error} naming the file, where it is no result of a benchmark. */
export function readResult(file: string): BenchResult {
  const value = JSON.parse(readFileSync(file, 'utf8')) as Partial<BenchResult>;
  if (typeof value.mode === 'string' && Array.isArray(value.medians)) return value as BenchResult;
  throw new Error(`${file} is no result of a benchmark; run make bench again`);
}
