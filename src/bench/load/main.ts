import { resultOf, thisMachine, writeResult } from '../report/bench-result.js';
import type { Row } from '../report/row.js';
import { textTable } from '../report/text-table.js';
import { parseLoadOptions } from './load-options.js';
import { MODES } from './modes.js';

/**
 * The whole gateway under load, and a peer in turn, each alone on the machine:
 * `node dist/bench/load/main.js MODE [--peer FOLDER] [--rounds N] [--upstream-path unary|stream|both]
 * [--out FILE] ...`; load-options.ts has the other options, modes.ts the modes and their defaults.
 * Prints one JSON line per row, then medians, ratios of the first contestant to each other one, and the
 * medians again as a table. Whatever
 * was not done as it should have been ends it with 1 and no figure.
 */
const argv = process.argv.slice(2);
const options = parseLoadOptions(argv);
const { mode } = options;
const run = MODES[mode];
if (run === undefined) throw new Error(`modes are ${Object.keys(MODES).join(', ')}`);
const machine = thisMachine();
const rows: Row[] = [];
await run(options, (row) => {
  rows.push(row);
  process.stdout.write(`${JSON.stringify(row)}\n`);
});
// Where the peer lies on this machine is nobody's business.
const words = argv
  .slice(1)
  .map((word, index, all) => (all[index - 1] === '--peer' ? 'FOLDER' : word));
const result = resultOf(mode, words.join(' '), machine, rows);
for (const line of result.medians) process.stdout.write(`median ${JSON.stringify(line)}\n`);
for (const line of result.ratios) process.stdout.write(`ratio ${JSON.stringify(line)}\n`);
for (const line of textTable(result.medians)) process.stdout.write(`${line}\n`);
if (options.out !== undefined) writeResult(options.out, result);
process.exit(0);
