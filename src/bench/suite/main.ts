import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { goalsTable } from '../report/goals.js';
import { readResults } from '../report/results.js';
import { TABLES } from '../report/tables.js';
import { writeDocuments } from '../report/write-documents.js';
import { runStep } from './run-step.js';
import { QUICK, WHOLE } from './steps.js';

/**
 * The set of benchmarks, one after the other: `node dist/bench/suite/main.js [--peer FOLDER] [--quick]
 * [--only MODE,...] [--out FOLDER] [--docs FOLDER]`. Writes a JSON file per mode and, of those, the
 * tables of docs/PERFORMANCE.md and its chart; with --quick it prints the tables only. Ends with 1 where
 * any of them did not do its work: its figures are then nowhere.
 */
const { values } = parseArgs({
  options: {
    peer: { type: 'string' },
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    out: { type: 'string', default: 'bench-results' },
    docs: { type: 'string', default: 'docs' },
  },
});
const { quick } = values;
const folder = quick ? mkdtempSync(join(tmpdir(), 'gatesvr-bench-')) : values.out;
const only = values.only?.split(',');
const steps = (quick ? QUICK : WHOLE).filter(({ mode }) => only?.includes(mode) ?? true);
const failed: string[] = [];
for (const step of steps) {
  process.stdout.write(`${step.mode.padEnd(10)}`);
  const started = performance.now();
  const out = join(folder, `${step.mode}.json`);
  // A former figure must not pass for one of this run.
  rmSync(out, { force: true });
  const done = await runStep(step, out, values.peer ?? null);
  if (!done) failed.push(step.mode);
  const seconds = ((performance.now() - started) / 1000).toFixed(0).padStart(5);
  process.stdout.write(`${seconds} s${done ? '' : '  its work was not done'}\n`);
}
const results = readResults(folder);
if (quick) {
  for (const render of Object.values(TABLES)) {
    const text = render(results);
    if (text !== null) process.stdout.write(`\n${text}\n`);
  }
  rmSync(folder, { recursive: true });
} else {
  for (const file of writeDocuments(results, values.docs)) process.stdout.write(`wrote ${file}\n`);
  const goals = goalsTable(results);
  if (goals !== null) process.stdout.write(`\n${goals}\n`);
}
if (failed.length > 0) process.stderr.write(`not done: ${failed.join(', ')}\n`);
process.exit(failed.length === 0 ? 0 : 1);
