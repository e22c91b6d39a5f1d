import { parseArgs } from 'node:util';
import { setTimeout as pause } from 'node:timers/promises';
import { makeCertificates } from '../../config/certificates.js';
import { QuicClient } from '../../quic/quic-client.js';
import { silentLogger } from '../../telemetry/log.js';
import { Metrics } from '../../telemetry/metrics.js';
import { resultOf, thisMachine, writeResult } from '../report/bench-result.js';
import type { Row } from '../report/row.js';
import { DeliveryEnd } from './delivery-end.js';
import { EchoLoop, connectTo, handshakeLoop } from './echo-load.js';
import type { EchoTarget } from './echo-load.js';
import { ServerProcess } from './server-process.js';
import { TurnLoad } from './turn-load.js';

// Our engine against a bare loop over quiche, and against the classes of the library, in turn:
// `node dist/bench/engine/compare.js [seconds per part] [folder for CPU profiles] [--rounds N]
// [--idle N] [--against bare,library] [--out FILE]`. All servers get the same load.

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '2' },
    idle: { type: 'string', default: '2000' },
    against: { type: 'string', default: 'bare,library' },
    out: { type: 'string' },
  },
});
const [seconds = '4', PROFILE_FOLDER] = positionals;
const SECONDS = Number(seconds);
const ECHO_CONNECTIONS = 50;
const FRAME_BYTES = 100;
const HANDSHAKES_AT_ONCE = 16;
const DELIVERY_BYTES = 200;
const DELIVERY_ROUNDS = 12;
const WARM_UP_ROUNDS = 3;
/** Acknowledgements of one round are to be gone before the next, ms. */
const BETWEEN_DELIVERIES_MS = 100;
const TURNS_AT_ONCE = 100;
const TURN_REQUESTS = 6_000;
const IDLE_CONNECTIONS = Number(values.idle);

interface Contestant {
  readonly name: string;
  readonly script: string;
  /** Rest between the handshake and the first stream, ms. */
  readonly settle: number;
  /** It only echoes. */
  readonly silent?: true;
}

const OURS: Contestant = { name: 'gatesvr', script: './own-server.js', settle: 0 };
const OTHERS: Readonly<Record<string, Contestant>> = {
  bare: { name: 'bare quiche loop', script: './bare-server.js', settle: 0 },
  // It resets one stream in a hundred of those that come with the end of the handshake.
  library: {
    name: "library's QUICServer",
    script: './library-server.js',
    settle: 20,
    silent: true,
  },
};

/** CPU is that of the server, us, all acknowledgements included; NaN where it only echoes. */
type CrowdFigures = {
  /** Resident memory of the server. */
  readonly idleKilobytes: number;
  /** Per frame to one that waits, its answer included. */
  readonly deliveryCpu: number;
  /** Per request, where as many connections take turns as requests are under way. */
  readonly fewCpu: number;
  /** The same where all that idled take turns. */
  readonly manyCpu: number;
};

type Figures = CrowdFigures & {
  readonly echoRate: number;
  /** us of server CPU. */
  readonly echoCpu: number;
  readonly handshakeRate: number;
  readonly handshakeCpu: number;
};

const certificates = await makeCertificates();

function newClient(): QuicClient {
  return new QuicClient({
    trust: { ca: Buffer.from(certificates.ca), verify: true },
    alpns: ['gatesvr'],
    metrics: new Metrics().quic,
    log: silentLogger(),
    limits: { idleTimeout: 120_000, handshakeTimeout: 60_000 },
  });
}

async function measureEcho(
  server: ServerProcess,
  settle: number,
): Promise<{ rate: number; cpu: number }> {
  const client = newClient();
  const loops: EchoLoop[] = [];
  for (let number = 0; number < ECHO_CONNECTIONS; number++) {
    loops.push(
      new EchoLoop(await connectTo(client, { port: server.port, settle }), number, FRAME_BYTES),
    );
  }
  await pause(300);
  const count = (): number => loops.reduce((sum, loop) => sum + loop.echoed, 0);
  const [before, started, countBefore] = [await server.usage(), performance.now(), count()];
  await pause(SECONDS * 1000);
  const [after, ended, countAfter] = [await server.usage(), performance.now(), count()];
  await Promise.all(loops.map((loop) => loop.finish()));
  await client.stop();
  const echoes = countAfter - countBefore;
  return {
    rate: (echoes * 1000) / (ended - started),
    cpu: (after.cpu - before.cpu) / echoes,
  };
}

async function measureHandshakes(
  server: ServerProcess,
  settle: number,
): Promise<{ rate: number; cpu: number }> {
  const client = newClient();
  const [before, started] = [await server.usage(), performance.now()];
  const until = started + SECONDS * 1000;
  const counts = await Promise.all(
    Array.from({ length: HANDSHAKES_AT_ONCE }, () =>
      handshakeLoop(client, { port: server.port, settle }, until),
    ),
  );
  const [after, ended] = [await server.usage(), performance.now()];
  await client.stop();
  const handshakes = counts.reduce((sum, count) => sum + count, 0);
  return {
    rate: (handshakes * 1000) / (ended - started),
    cpu: (after.cpu - before.cpu) / handshakes,
  };
}

async function connectCrowd(client: QuicClient, target: EchoTarget): Promise<DeliveryEnd[]> {
  const ends: DeliveryEnd[] = [];
  while (ends.length < IDLE_CONNECTIONS) {
    const some = await Promise.all(
      Array.from({ length: HANDSHAKES_AT_ONCE }, () => connectTo(client, target)),
    );
    const added = some.map((connection) => new DeliveryEnd(connection, DELIVERY_BYTES));
    await Promise.all(added.map(({ ready }) => ready));
    ends.push(...added);
  }
  return ends;
}

/** One frame to all who wait, each round when the one before is answered and acknowledged. */
async function measureDeliveries(server: ServerProcess, ends: DeliveryEnd[]): Promise<number> {
  const measured = DELIVERY_ROUNDS - WARM_UP_ROUNDS;
  let before = await server.usage();
  for (let round = 1; round <= DELIVERY_ROUNDS; round++) {
    const all = Promise.all(ends.map((end) => end.next()));
    await server.deliver(DELIVERY_BYTES, round);
    await all;
    do await pause(BETWEEN_DELIVERIES_MS);
    while ((await server.answers()) < round * ends.length);
    if (round === WARM_UP_ROUNDS) before = await server.usage();
  }
  const after = await server.usage();
  return (after.cpu - before.cpu) / (measured * ends.length);
}

/** The same number of requests under way, spread over fewer or more connections. */
async function measureTurns(server: ServerProcess, ends: readonly DeliveryEnd[]): Promise<number> {
  const load = new TurnLoad(ends, Math.min(TURNS_AT_ONCE, ends.length));
  // Each at least once: what a connection asks first is dearer.
  await load.ask(Math.max(ends.length, TURN_REQUESTS / 4));
  const before = await server.usage();
  await load.ask(TURN_REQUESTS);
  const after = await server.usage();
  return (after.cpu - before.cpu) / TURN_REQUESTS;
}

async function measureCrowd(
  server: ServerProcess,
  { settle, silent }: Contestant,
): Promise<CrowdFigures> {
  const client = newClient();
  const before = await server.usage();
  const ends = await connectCrowd(client, { port: server.port, settle });
  await pause(1_000);
  const after = await server.usage();
  const idleKilobytes = (after.rss - before.rss) / ends.length / 1024;
  const answering: Omit<CrowdFigures, 'idleKilobytes'> = silent
    ? { deliveryCpu: NaN, fewCpu: NaN, manyCpu: NaN }
    : {
        deliveryCpu: await measureDeliveries(server, ends),
        fewCpu: await measureTurns(server, ends.slice(0, TURNS_AT_ONCE)),
        manyCpu: await measureTurns(server, ends),
      };
  await client.stop();
  return { idleKilobytes, ...answering };
}

/** Memory is measured in a process of its own: one that has worked holds memory it could reuse. */
async function measure(contestant: Contestant): Promise<Figures> {
  const { script, settle } = contestant;
  const fresh = await ServerProcess.start(script, certificates);
  const crowd = await measureCrowd(fresh, contestant);
  await fresh.stop();
  const server = await ServerProcess.start(script, certificates, PROFILE_FOLDER);
  const echo = await measureEcho(server, settle);
  const handshakes = await measureHandshakes(server, settle);
  await server.stop();
  return {
    echoRate: echo.rate,
    echoCpu: echo.cpu,
    handshakeRate: handshakes.rate,
    handshakeCpu: handshakes.cpu,
    ...crowd,
  };
}

const machine = thisMachine();
const rows: Row[] = [];
const round = async (contestant: Contestant): Promise<void> => {
  const figures = await measure(contestant);
  const row = { contestant: contestant.name, case: `${FRAME_BYTES} bytes`, ...figures };
  rows.push(row);
  console.log(JSON.stringify(row));
};
const others = values.against.split(',').map((name) => {
  const other = OTHERS[name];
  if (other === undefined) throw new Error(`--against is of ${Object.keys(OTHERS).join(', ')}`);
  return other;
});
for (let turn = 0; turn < Number(values.rounds); turn++) {
  for (const contestant of [OURS, ...others]) await round(contestant);
}
const result = resultOf('engine', process.argv.slice(2).join(' '), machine, rows);
for (const line of result.medians) console.log(`median ${JSON.stringify(line)}`);
for (const line of result.ratios) console.log(`ratio ${JSON.stringify(line)}`);
if (values.out !== undefined) writeResult(values.out, result);
process.exit(0);
