import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { BenchResult } from '../../src/bench/report/bench-result.js';
import type { Row } from '../../src/bench/report/row.js';

const run = promisify(execFile);

/**
 * Plays a mode of the bench with small counts, in processes as `make bench` does.
 * @returns its rows as they were written.
 * @throws {Error} with what it printed, where it failed.
 */
export async function playBenchMode(mode: string, ...options: string[]): Promise<readonly Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'gatesvr-mode-'));
  try {
    const out = join(folder, 'result.json');
    await run(process.execPath, ['dist/bench/load/main.js', mode, ...options, '--out', out]);
    const result = JSON.parse(readFileSync(out, 'utf8')) as BenchResult;
    if (result.mode !== mode) throw new Error(`${mode} wrote a result of ${result.mode}`);
    return result.rounds;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
