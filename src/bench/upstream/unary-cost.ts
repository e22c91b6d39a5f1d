/**
 * What a unary call costs, in microseconds of CPU: who calls (bare grpc-js as a generated client uses it, our
 * callers, and the whole way through routing), and who serves (our servers, asked by the same caller). The ways
 * take turns in every round, so that the noise of the machine meets all of them; the median of the rounds
 * counts.
 *
 * After a build: `node dist/bench/upstream/unary-cost.js [requests per round] [--out FILE]`.
 */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Client, credentials } from '@grpc/grpc-js';
import { SystemClock } from '../../base/clock.js';
import { framedCallers, http2Callers } from '../../grpc/caller-kinds.js';
import { grpcJsCallers } from '../../grpc/grpc-js-caller.js';
import type { ServerKind } from '../../grpc/grpc-server.js';
import type { CallerFactory } from '../../grpc/unary-caller.js';
import { ZoneRouter } from '../../routing/zone-router.js';
import { zoneOf } from '../../routing/zone.js';
import { silentLogger } from '../../telemetry/log.js';
import { Metrics } from '../../telemetry/metrics.js';
import { Method } from '../../wire/grpc-methods.js';
import { resultOf, thisMachine, writeResult } from '../report/bench-result.js';
import { median } from '../report/medians.js';
import { decodeResponse, encodeRequest } from '../../upstream/request-codec.js';

/** Sends one request and calls `done` with whether it was answered with 200. */
type Way = (seq: number, done: (answered: boolean) => void) => void;
/** CPU that a process has used so far, us. */
type CpuMeter = () => Promise<number>;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { out: { type: 'string' } },
});
const REQUESTS = Number(positionals[0] ?? 5_000);
const ROUNDS = 7;
const IN_FLIGHT = [1, 16, 64];
const DEADLINE_MS = 30_000;
const OPENID = 'alice';
const PAYLOAD = Buffer.alloc(100, 'x');

const request = (clientSeqId: number) => ({
  sessionId: 'f2a5c7f0-5a0e-4d37-9a43-2f7f6c3e8a10',
  openid: OPENID,
  clientSeqId,
  action: 'echo',
  params: {},
  data: PAYLOAD,
  headers: {},
  trace: null,
});

/** What was asked for, and not just any success. */
const isEcho = ({ code, data }: { code: number; data: Uint8Array }): boolean =>
  code === 200 && PAYLOAD.equals(data);

function bareGrpcJs(address: string): Way {
  const client = new Client(address, credentials.createInsecure());
  const same = (bytes: Buffer): Buffer => bytes;
  return (seq, done) => {
    const bytes = encodeRequest(request(seq)) as Buffer;
    const options = { deadline: Date.now() + DEADLINE_MS };
    client.makeUnaryRequest(Method.ProcessRequest, same, same, bytes, options, (error, answer) =>
      done(error === null && answer !== undefined && isEcho(decodeResponse(answer, seq))),
    );
  };
}

function ourCaller(address: string, callers: CallerFactory): Way {
  const caller = callers(address);
  return (seq, done) => {
    caller.call(Method.ProcessRequest, encodeRequest(request(seq)), DEADLINE_MS, {
      onResponse: (bytes) => done(isEcho(decodeResponse(bytes, seq))),
      onFailure: () => done(false),
    });
  };
}

function wholeRouting(address: string, callers: CallerFactory): Way {
  const metrics = new Metrics();
  const router = new ZoneRouter(new SystemClock(), silentLogger(), metrics.upstream, callers);
  const entry = { address, zoneId: zoneOf(OPENID), serviceName: '', capabilities: [], peer: '' };
  router.register(entry, () => undefined);
  const route = router.routeFor(OPENID);
  return (seq, done) =>
    route.dispatch({
      ...request(seq),
      onOutcome: (outcome) => done(outcome.kind === 'answered' && isEcho(outcome.response)),
    });
}

/** Sends all requests of a round. */
function run(way: Way, inFlight: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let sent = 0;
    let answered = 0;
    const next = (): void => {
      if (sent >= REQUESTS) return;
      way(++sent, (good) => {
        if (!good) reject(new Error('a request was not answered with its own data'));
        else if (++answered < REQUESTS) next();
        else resolve();
      });
    };
    for (let index = 0; index < inFlight; index++) next();
  });
}

/** CPU per request, us. */
async function measure(way: Way, meter: CpuMeter, inFlight: number): Promise<number> {
  const before = await meter();
  await run(way, inFlight);
  return ((await meter()) - before) / REQUESTS;
}

const ownCpu: CpuMeter = () => {
  const { user, system } = process.cpuUsage();
  return Promise.resolve(user + system);
};

/** An upstream that echoes, in a process of its own. */
class EchoUpstream {
  private constructor(
    private readonly child: ChildProcess,
    readonly address: string,
  ) {}

  static async start(kind: ServerKind): Promise<EchoUpstream> {
    const script = fileURLToPath(new URL('./echo-upstream.js', import.meta.url));
    const child = fork(script, [kind]);
    const [port] = (await once(child, 'message')) as [number];
    return new EchoUpstream(child, `127.0.0.1:${port}`);
  }

  readonly cpu: CpuMeter = async () => {
    this.child.send('cpu');
    return ((await once(this.child, 'message')) as [number])[0];
  };

  stop(): void {
    this.child.kill();
  }
}

const machine = thisMachine();
const [framed, grpcJs] = [await EchoUpstream.start('framed'), await EchoUpstream.start('grpc-js')];
try {
  const { address } = framed;
  const ways: readonly (readonly [string, Way, CpuMeter])[] = [
    ['bare grpc-js client', bareGrpcJs(address), ownCpu],
    ['GrpcJsCaller', ourCaller(address, grpcJsCallers()), ownCpu],
    ['Http2Caller', ourCaller(address, http2Callers()), ownCpu],
    ['framed', ourCaller(address, framedCallers()), ownCpu],
    ['ZoneRouter on GrpcJsCaller', wholeRouting(address, grpcJsCallers()), ownCpu],
    ['ZoneRouter on Http2Caller', wholeRouting(address, http2Callers()), ownCpu],
    ['ZoneRouter on framed', wholeRouting(address, framedCallers()), ownCpu],
    ['GrpcJsServer', ourCaller(grpcJs.address, framedCallers()), grpcJs.cpu],
    ['FramedServer', ourCaller(address, framedCallers()), framed.cpu],
  ];
  for (const [, way] of ways) await run(way, 16);
  console.log(`CPU us per request, 100 bytes, median of ${ROUNDS} rounds of ${REQUESTS}`);
  console.log(`${'in flight'.padEnd(30)}${IN_FLIGHT.map((n) => String(n).padStart(8)).join('')}`);
  const costs = ways.map(() => IN_FLIGHT.map(() => [] as number[]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const [column, inFlight] of IN_FLIGHT.entries()) {
      for (const [row, [, way, meter]] of ways.entries()) {
        costs[row]?.[column]?.push(await measure(way, meter, inFlight));
      }
    }
  }
  for (const [row, [name]] of ways.entries()) {
    const cells = (costs[row] ?? []).map((values) => median(values).toFixed(1).padStart(8));
    console.log(`${name.padEnd(30)}${cells.join('')}`);
  }
  const rows = ways.map(([contestant], row) => {
    const figures = IN_FLIGHT.map(
      (count, column) => [`inFlight${count}`, median(costs[row]?.[column] ?? [])] as const,
    );
    return { contestant, case: '100 bytes', ...Object.fromEntries(figures) };
  });
  const result = resultOf('callers', String(REQUESTS), machine, rows);
  if (values.out !== undefined) writeResult(values.out, result);
} finally {
  framed.stop();
  grpcJs.stop();
}
process.exit(0);
