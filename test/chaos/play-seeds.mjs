// Plays seeds one after another, or some at a time: `make chaos`. Each seed is one kind of trial, in turn,
// in a process of its own; one line each, a summary, exit code 1 where any failed.
//
//   SEEDS=20      seeds 1 to 20; SEED=7: only this one
//   MINUTES=3     how long each has faults
//   PARALLEL=1    how many at a time: each takes about a core
//   ONLY=         lone, sessions, pair, degrade or refuse; default: all of them in turn
import { spawn } from 'node:child_process';
import { createWriteStream, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clearTimeout, setTimeout } from 'node:timers';

const KINDS = {
  lone: { file: 'test/chaos/lone.test.ts', name: 'a lone gateway', test: 'a lone gateway' },
  sessions: {
    file: 'test/chaos/sessions.test.ts',
    name: 'sessions that end',
    test: 'sessions that end',
  },
  degrade: { file: 'test/chaos/pair.test.ts', name: 'pair, degrade', test: 'under degrade' },
  refuse: { file: 'test/chaos/pair.test.ts', name: 'pair, refuse', test: 'under refuse' },
};
const CHOICES = { '': ['degrade', 'refuse', 'lone', 'sessions'], pair: ['degrade', 'refuse'] };
const JEST = [
  '--experimental-vm-modules',
  '--disable-warning=ExperimentalWarning',
  'node_modules/jest/bin/jest.js',
  '--ci',
  '--runInBand',
];
/** A run that says nothing for so long beyond its time is ended, ms: the tests end themselves before. */
const AROUND_MS = 420_000;

const { SEED = '', SEEDS = '20', MINUTES = '3', PARALLEL = '1', ONLY = '' } = process.env;
const kinds = CHOICES[ONLY] ?? (ONLY in KINDS ? [ONLY] : null);
const numbers = [SEED || '1', SEEDS, MINUTES, PARALLEL].map(Number);
if (kinds === null || numbers.some((number) => !(number >= 0)) || Number(PARALLEL) < 1) {
  console.error(
    'make chaos: SEED, SEEDS, MINUTES and PARALLEL are numbers; ONLY is lone, sessions, pair, degrade or refuse',
  );
  process.exit(2);
}

const runs = [];
if (SEED !== '') for (const kind of kinds) runs.push({ seed: Number(SEED), kind });
else {
  for (let seed = 1; seed <= Number(SEEDS); seed++) {
    runs.push({ seed, kind: kinds[(seed - 1) % kinds.length] });
  }
}
const folder = mkdtempSync(join(tmpdir(), 'gatesvr-chaos-logs-'));
const begunAt = Date.now();
const failed = [];
const playing = new Set();
let played = 0;

function play({ seed, kind }) {
  const { file, name, test } = KINDS[kind];
  const from = Date.now();
  const log = join(folder, `${kind}-${seed}.log`);
  const env = { ...process.env, SEED: String(seed), MINUTES };
  const child = spawn(process.execPath, [...JEST, file, '-t', test], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  playing.add(child);
  const kept = createWriteStream(log);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      kept.write(chunk);
      output = (output + chunk).slice(-200_000);
    });
  }
  const timer = setTimeout(() => end(child), Number(MINUTES) * 60_000 + AROUND_MS);
  return new Promise((resolve) => {
    child.on('close', (code) => {
      clearTimeout(timer);
      playing.delete(child);
      kept.end();
      played++;
      const seconds = Math.round((Date.now() - from) / 1000);
      const told = /^chaos [^\n]*, seed \d+: (.*)$/m.exec(output)?.[1] ?? 'no verdict';
      console.log(
        `seed ${seed}, ${name}: ${code === 0 ? 'holds' : 'FAILED'}, ${told} (${seconds} s)`,
      );
      if (code !== 0) {
        failed.push({ seed, kind });
        const lines = output
          .split('\n')
          .filter((line) => /^\s*(\d+ ms: |chaos .*Error|every fact|Error)/.test(line));
        for (const line of lines.slice(0, 20)) console.log(`    ${line.trim()}`);
        console.log(`    log: ${log}`);
        console.log(`    replay: make chaos SEED=${seed} MINUTES=${MINUTES} ONLY=${kind}`);
      }
      resolve();
    });
  });
}

/** The child and the gateways that it started: they are of its process group. */
function end(child) {
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    for (const child of playing) end(child);
    console.log(`ended by ${signal} after ${played} of ${runs.length}, ${failed.length} failed`);
    process.exit(1);
  });
}

const queue = [...runs];
const player = async () => {
  for (let run = queue.shift(); run !== undefined; run = queue.shift()) await play(run);
};
await Promise.all(Array.from({ length: Number(PARALLEL) }, player));
const minutes = ((Date.now() - begunAt) / 60_000).toFixed(1);
console.log(
  `${played} played in ${minutes} minutes, ${played - failed.length} hold, ${failed.length} failed`,
);
process.exit(failed.length === 0 ? 0 : 1);
