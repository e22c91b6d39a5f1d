import { EchoWorkload } from '../client/echo-workload.js';
import type { LoadObserver } from '../client/load-session.js';
import { numbered } from '../client/openids.js';
import { GrpcPushGateway } from '../client/push-gateway.js';
import { PushWorkload } from '../client/push-workload.js';
import { SessionPool, localTarget } from '../client/session-pool.js';
import type { Row } from '../report/row.js';
import type { Contestant } from './contestant.js';
import { runEcho } from './echo-load.js';
import { LoadProcess } from './load-process.js';
import { MemorySeries } from './memory-series.js';
import { freshPrefix } from './rounds.js';

export interface SoakPlan {
  readonly sessions: number;
  readonly bytes: number;
  /** ms */
  readonly duration: number;
  /** Requests per second; null: half of what a closed loop through the same proxy carries. */
  readonly rate: number | null;
  /** Requests of the closed loop that finds it. */
  readonly probeRequests: number;
  /** Pushes for each request. */
  readonly pushShare: number;
  /** Share of the datagrams that are lost, either way. */
  readonly loss: number;
  /** All clients get other ports so often, ms. */
  readonly rebindEvery: number;
}

const IN_FLIGHT = 64;
/**
 * Every session sends a heartbeat so often, ms: who only waits for answers would never tell a gateway
 * that it moved to another port.
 */
const HEARTBEAT_MS = 3_000;
/** Readings of the memory over the whole time. */
const READINGS = 120;

interface Executions {
  readonly executed: number;
  readonly repeated: number;
}

/**
 * Requests and pushes by the clock through a network that loses and rebinds. Every answer and push is
 * compared, every sequence number must be the next, no session may end.
 * @param contestant a gateway without an upstream: the one that counts executions registers.
 * @returns `executedTwice` (0), `rss` in MB over time and `memorySlope`, MB per minute.
 * @throws {WorkNotDone} where anything was lost, came twice or out of order; {Error} where a request
 * was executed twice or never.
 */
export async function runSoak(contestant: Contestant, plan: SoakPlan): Promise<Row> {
  const parts: LoadProcess[] = [];
  const part = async (script: string, ...args: (string | number)[]): Promise<LoadProcess> => {
    const started = await LoadProcess.start(script, args.map(String));
    parts.push(started);
    return started;
  };
  try {
    const upstream = await part('counting-upstream-part.js', contestant.grpcPort ?? 0);
    const proxy = await part('proxy-part.js', contestant.port, plan.loss);
    const port = Number(proxy.info);
    const rate = plan.rate ?? (await halfOfMaximum({ ...contestant, port }, plan));
    return await soak(contestant, { ...plan, rate }, upstream, proxy);
  } finally {
    for (const each of parts) await each.stop();
  }
}

async function halfOfMaximum(contestant: Contestant, plan: SoakPlan): Promise<number> {
  const requests = plan.probeRequests;
  const { bytes } = plan;
  const probe = { sessions: 50, inFlight: 8, bytes, warmup: Math.ceil(requests / 4), requests };
  const { perSecond } = await runEcho(contestant, probe);
  return Math.max(1, Math.floor(Number(perSecond) / 2));
}

async function soak(
  contestant: Contestant,
  plan: SoakPlan & { readonly rate: number },
  upstream: LoadProcess,
  proxy: LoadProcess,
): Promise<Row> {
  const { bytes, rate, duration } = plan;
  const pool = new SessionPool(localTarget(Number(proxy.info)), { sockets: 8 });
  const pushes = new GrpcPushGateway(`127.0.0.1:${contestant.grpcPort ?? 0}`);
  const echo = new EchoWorkload(pool.sessions, { action: 'echo', bytes, inFlight: IN_FLIGHT });
  const push = new PushWorkload(pool.sessions, pushes, { bytes, inFlight: plan.sessions });
  const memory = new MemorySeries(() => contestant.gateway.residentBytes(), duration / READINGS);
  const hearts = setInterval(() => {
    for (const session of pool.sessions) session.heartbeat(Date.now());
  }, HEARTBEAT_MS);
  let rebinds = 0;
  const rebinding = setInterval(() => {
    void proxy.ask('rebind').then(() => rebinds++);
  }, plan.rebindEvery);
  try {
    await pool.open(numbered(freshPrefix('soak'), plan.sessions), both(echo, push));
    const before = (await upstream.ask('executions')) as Executions;
    await proxy.ask('impair');
    const [requests, pushed] = await Promise.all([
      echo.run({ kind: 'open', rate }, { ms: duration }),
      push.run({ kind: 'open', rate: rate * plan.pushShare }, { ms: duration }),
    ]);
    const after = (await upstream.ask('executions')) as Executions;
    checkExecutions(before, after, requests.done);
    return {
      contestant: contestant.name,
      case: `${Math.round(duration / 6_000) / 10} min at ${rate} requests/s`,
      minutes: duration / 60_000,
      rate,
      requests: requests.done,
      pushes: pushed.done,
      executedTwice: after.repeated,
      sessionsLost: 0,
      rebinds,
      datagramsLost: Number(await proxy.ask('lost')),
      p50: echo.timings.sinceDue.percentile(50),
      p99: echo.timings.sinceDue.percentile(99),
      memorySlope: memory.slope() / 2 ** 20,
      rssEverySeconds: duration / READINGS / 1000,
      rss: memory.bytes.map((value) => Math.round(value / 2 ** 20)),
    };
  } finally {
    clearInterval(rebinding);
    clearInterval(hearts);
    memory.stop();
    await pool.close();
    pushes.close();
  }
}

/** Answers go to one workload, pushes to the other, faults to both: either ends the run. */
function both(echo: EchoWorkload, push: PushWorkload): LoadObserver {
  return {
    onAnswer: (session, msgId, data) => echo.onAnswer(session, msgId, data),
    onPush: (session, message) => push.onPush(session, message),
    onFault: (session, reason) => {
      echo.onFault(session, reason);
      push.onFault(session, reason);
    },
  };
}

function checkExecutions(before: Executions, after: Executions, asked: number): void {
  const executed = after.executed - before.executed;
  if (after.repeated > 0) throw new Error(`${after.repeated} requests were executed twice`);
  if (executed !== asked) throw new Error(`${asked} requests, but ${executed} executions`);
}
