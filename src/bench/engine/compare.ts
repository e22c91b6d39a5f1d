import { makeCertificates } from '../../config/certificates.js';
import { QuicClient } from '../../quic/quic-client.js';
import { silentLogger } from '../../telemetry/log.js';
import { Metrics } from '../../telemetry/metrics.js';
import { EchoLoop, connectTo, handshakeLoop } from './echo-load.js';
import { ServerProcess } from './server-process.js';

// Our engine against the classes of the library, side by side: `node dist/bench/engine/compare.js
// [seconds per part] [folder for CPU profiles]`. Both servers get the same load from the same client.

const SECONDS = Number(process.argv[2] ?? 4);
const PROFILE_FOLDER = process.argv[3];
const ECHO_CONNECTIONS = 50;
const FRAME_BYTES = 100;
const HANDSHAKES_AT_ONCE = 16;
const IDLE_CONNECTIONS = 2_000;
const ROUNDS = 2;

interface Figures {
  readonly echoRate: number;
  /** us of server CPU. */
  readonly echoCpu: number;
  readonly handshakeRate: number;
  readonly handshakeCpu: number;
  /** Bytes of resident memory of the server. */
  readonly idleMemory: number;
}

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

async function measureEcho(server: ServerProcess): Promise<{ rate: number; cpu: number }> {
  const client = newClient();
  const loops: EchoLoop[] = [];
  for (let number = 0; number < ECHO_CONNECTIONS; number++) {
    loops.push(new EchoLoop(await connectTo(client, server.port), number, FRAME_BYTES));
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

async function measureHandshakes(server: ServerProcess): Promise<{ rate: number; cpu: number }> {
  const client = newClient();
  const [before, started] = [await server.usage(), performance.now()];
  const until = started + SECONDS * 1000;
  const counts = await Promise.all(
    Array.from({ length: HANDSHAKES_AT_ONCE }, () => handshakeLoop(client, server.port, until)),
  );
  const [after, ended] = [await server.usage(), performance.now()];
  await client.stop();
  const handshakes = counts.reduce((sum, count) => sum + count, 0);
  return {
    rate: (handshakes * 1000) / (ended - started),
    cpu: (after.cpu - before.cpu) / handshakes,
  };
}

async function measureIdle(server: ServerProcess): Promise<number> {
  const client = newClient();
  const before = await server.usage();
  for (let opened = 0; opened < IDLE_CONNECTIONS; opened += HANDSHAKES_AT_ONCE) {
    await Promise.all(
      Array.from({ length: HANDSHAKES_AT_ONCE }, async (_, index) => {
        const connection = await connectTo(client, server.port);
        await new EchoLoop(connection, opened + index, FRAME_BYTES).finish();
      }),
    );
  }
  await pause(1_000);
  const after = await server.usage();
  await client.stop();
  return (after.rss - before.rss) / IDLE_CONNECTIONS;
}

/** Memory is measured in a process of its own: one that has worked holds memory it could reuse. */
async function measure(script: string): Promise<Figures> {
  const fresh = await ServerProcess.start(script, certificates);
  const idleMemory = await measureIdle(fresh);
  await fresh.stop();
  const server = await ServerProcess.start(script, certificates, PROFILE_FOLDER);
  const echo = await measureEcho(server);
  const handshakes = await measureHandshakes(server);
  await server.stop();
  return {
    echoRate: echo.rate,
    echoCpu: echo.cpu,
    handshakeRate: handshakes.rate,
    handshakeCpu: handshakes.cpu,
    idleMemory,
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}

function report(own: Figures, library: Figures): void {
  const line = (what: string, ours: number, theirs: number, ratio: number): void =>
    console.log(
      `${what.padEnd(34)}${ours.toFixed(1).padStart(12)}${theirs.toFixed(1).padStart(12)}${ratio.toFixed(2).padStart(9)}x`,
    );
  console.log(
    `${''.padEnd(34)}${'ours'.padStart(12)}${'library'.padStart(12)}${'better'.padStart(10)}`,
  );
  line('echo/s', own.echoRate, library.echoRate, own.echoRate / library.echoRate);
  line('server CPU per echo, us', own.echoCpu, library.echoCpu, library.echoCpu / own.echoCpu);
  line(
    'handshakes/s',
    own.handshakeRate,
    library.handshakeRate,
    own.handshakeRate / library.handshakeRate,
  );
  line(
    'server CPU per handshake, us',
    own.handshakeCpu,
    library.handshakeCpu,
    library.handshakeCpu / own.handshakeCpu,
  );
  line(
    'memory per idle connection, KB',
    own.idleMemory / 1024,
    library.idleMemory / 1024,
    library.idleMemory / own.idleMemory,
  );
}

for (let round = 1; round <= ROUNDS; round++) {
  console.log(
    `round ${round}: ${ECHO_CONNECTIONS} connections, ${FRAME_BYTES}-byte frames, every byte compared`,
  );
  const own = await measure('./own-server.js');
  const library = await measure('./library-server.js');
  report(own, library);
}
