import { startLeango, startOurs } from './contestant.js';
import { runEcho } from './echo-load.js';

/** `node dist/bench/load/main.js [--peer FOLDER] [--rounds N]`: our gateway and a peer in turn. */
const argument = (name: string): string | undefined => {
  const at = process.argv.indexOf(name);
  return at === -1 ? undefined : process.argv[at + 1];
};
const peer = argument('--peer');
const rounds = Number(argument('--rounds') ?? 3);
const sessions = Number(argument('--sessions') ?? 50);
const inFlight = Number(argument('--inflight') ?? 8);
const requests = Number(argument('--requests') ?? 60_000);
const plan = { sessions, inFlight, bytes: 100, warmup: 15_000, requests };
for (let round = 0; round < rounds; round++) {
  for (const start of [startOurs, ...(peer === undefined ? [] : [() => startLeango(peer)])]) {
    const contestant = await start();
    try {
      process.stdout.write(`${JSON.stringify(await runEcho(contestant, plan))}\n`);
    } finally {
      await contestant.stop();
    }
  }
}
process.exit(0);
