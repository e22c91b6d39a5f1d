import { parseArgs } from 'node:util';
import { startLeango, startOurs } from './contestant.js';
import type { Contestant } from './contestant.js';
import { runEcho } from './echo-load.js';
import { runIdle } from './idle-load.js';
import { medians, ratios } from './report.js';

/**
 * The whole gateway under load, and a peer in turn, each alone on the machine:
 * `node dist/bench/load/main.js echo|idle [--peer FOLDER] [--rounds N]
 * [--upstream-path unary|stream|both] ...`. Prints one JSON line per
 * run, then medians and, with a peer, the ratio of ours to theirs.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    peer: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    sessions: { type: 'string' },
    'in-flight': { type: 'string', default: '8' },
    requests: { type: 'string', default: '60000' },
    hold: { type: 'string', default: '120' },
    heartbeat: { type: 'string', default: '30' },
    profile: { type: 'string' },
    // How ours calls its upstream; both: in turn. The peer knows unary only.
    'upstream-path': { type: 'string', default: 'unary' },
    set: { type: 'string', multiple: true, default: [] },
  },
});

const settings = Object.fromEntries(
  values.set.map((text) => [text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1)]),
);
const { peer, profile } = values;
const paths = values['upstream-path'] === 'both' ? ['unary', 'stream'] : [values['upstream-path']];
const contestants: (() => Promise<Contestant>)[] = paths.map((path) => {
  if (path !== 'unary' && path !== 'stream') {
    throw new Error('--upstream-path is unary, stream or both');
  }
  return () => startOurs(settings, profile, path);
});
if (peer !== undefined) contestants.push(() => startLeango(peer));

const mode = positionals[0] ?? 'echo';
const run = mode === 'idle' ? idle : echo;
const results: object[] = [];
for (let round = 0; round < Number(values.rounds); round++) {
  for (const start of contestants) {
    const contestant = await start();
    try {
      const result = await run(contestant);
      results.push(result);
      process.stdout.write(`${JSON.stringify(result)}\n`);
    } finally {
      await contestant.stop();
    }
  }
}
const summary = medians(results);
for (const line of summary) process.stdout.write(`median ${JSON.stringify(line)}\n`);
for (const line of ratios(summary)) process.stdout.write(`ratio ${JSON.stringify(line)}\n`);
process.exit(0);

function echo(contestant: Contestant) {
  return runEcho(contestant, {
    sessions: Number(values.sessions ?? 50),
    inFlight: Number(values['in-flight']),
    bytes: 100,
    warmup: 15_000,
    requests: Number(values.requests),
  });
}

function idle(contestant: Contestant) {
  return runIdle(contestant, {
    sessions: Number(values.sessions ?? 20_000),
    heartbeatEvery: Number(values.heartbeat) * 1000,
    hold: Number(values.hold) * 1000,
  });
}
