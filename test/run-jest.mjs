// Runs jest with the arguments given. A machine that stands still for seconds can fail a test that is right, and
// has: so the few files that failed get a second attempt, alone and one after the other. What fails again is
// broken. What passes then is named at the end, for a test that only passes alone wants mending.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** More files than this do not fail by mischance. */
const MOST_FILES = 3;

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
const jest = path.join(root, 'node_modules/jest/bin/jest.js');
const report = path.join(mkdtempSync(path.join(tmpdir(), 'gatesvr-jest-')), 'report.json');

function runJest(...args) {
  const { status } = spawnSync(process.execPath, [...flags, jest, '--ci', ...args], {
    cwd: root,
    stdio: 'inherit',
  });
  return status === 0;
}

/** The tests that failed, by file; null where jest itself did not come to an end. */
function failures() {
  let results;
  try {
    results = JSON.parse(readFileSync(report, 'utf8')).testResults;
  } catch {
    return null;
  }
  const failed = results.filter(({ status }) => status === 'failed');
  return new Map(
    failed.map(({ name, assertionResults }) => [
      path.relative(root, name),
      assertionResults.filter(({ status }) => status === 'failed').map((test) => test.fullName),
    ]),
  );
}

/** Where cases are drawn, one that was found must not be lost by drawing again. */
const drawsCases = (file) =>
  file.startsWith(path.join('test', 'fuzz')) ||
  readFileSync(path.join(root, file), 'utf8').includes("from 'fast-check'");

const mayTryAgain = (failed) =>
  failed !== null &&
  failed.size > 0 &&
  failed.size <= MOST_FILES &&
  ![...failed.keys()].some(drawsCases);

function run() {
  if (runJest('--json', `--outputFile=${report}`, ...process.argv.slice(2))) return true;
  const failed = failures();
  if (!mayTryAgain(failed)) return false;
  console.error(`\nsecond attempt, alone: ${[...failed.keys()].join(' ')}`);
  if (!runJest('--runInBand', '--runTestsByPath', ...failed.keys())) return false;
  console.error('\nUNSTEADY: failed among the others, and passed alone:');
  for (const [file, tests] of failed) console.error(`  ${file}: ${tests.join('; ') || 'the file'}`);
  return true;
}

try {
  process.exitCode = run() ? 0 : 1;
} finally {
  rmSync(path.dirname(report), { recursive: true, force: true });
}
