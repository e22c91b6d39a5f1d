import { setTimeout as pause } from 'node:timers/promises';
import { LatencyRecorder } from '../client/latency-recorder.js';
import type { Row } from '../report/row.js';
import { isInSync, statsOf } from './bench-pair.js';
import { FailoverStage } from './failover-stage.js';
import type { FailoverCase } from './failover-stage.js';
import { RequestStream } from './request-stream.js';
import { counted } from './rounds.js';
import type { Emit } from './rounds.js';

export interface FailoverPlan {
  readonly sessions: number;
  /** Requests per second, of all clients in turn. */
  readonly rate: number;
  /** Pushes per second, to all clients in turn. */
  readonly pushes: number;
  /** Load before the kill, and after the last client is back, ms. */
  readonly hold: number;
  readonly rounds: number;
  /** Names of the cases that are played; default: all. */
  readonly cases: readonly string[] | undefined;
}

const FAST = { interval: 200, timeout: 1_000 };

const CASES: readonly FailoverCase[] = [
  { name: 'sdk-default', clients: 'sdk' },
  { name: 'sdk-fast', clients: 'sdk', heartbeat: FAST },
  { name: 'deployed-default', clients: 'deployed' },
  { name: 'deployed-fast', clients: 'deployed', heartbeat: FAST },
];

/** How long the last client may take to come back, ms. */
const RETURN_MS = 180_000;
/** How long pushes that were promised may take to arrive once everybody is there, ms. */
const ARRIVAL_MS = 60_000;
const POLL_MS = 20;

/**
 * kill -9 of the primary of a pair in sync mode, under requests and pushes; one pair and one set of
 * clients per case. Rows, in ms: `promoted` and `backP50`, `backP99`, `lastResumed` from the kill, until the
 * standby serves and until a client has its session again; `waitP50`, `waitP99`, `waitMax` what clients saw:
 * from the first request that the kill left without answer to the next answer. Requests by how they ended
 * (`unknown`: the gateway says OUTCOME_UNKNOWN, or the connection ended before an answer and the client sends
 * nothing again), and how often requests were executed.
 * @throws {Error} where a client did not come back to its session, a push that was answered with success
 * is missing, came twice or out of order, or a request was executed twice or answered without that.
 */
export async function runFailovers(plan: FailoverPlan, emit: Emit): Promise<void> {
  const names = plan.cases ?? CASES.map(({ name }) => name);
  for (const name of names) {
    const found = CASES.find((each) => each.name === name);
    if (found === undefined) {
      throw new Error(`--cases knows ${CASES.map((each) => each.name).join(', ')}`);
    }
    for (let round = 0; round < plan.rounds; round++) emit(await runFailover(found, plan));
  }
}

async function runFailover(which: FailoverCase, plan: FailoverPlan): Promise<Row> {
  const stage = await FailoverStage.open(which, plan.sessions, plan.pushes);
  const requests = new RequestStream(stage.players, plan.rate);
  try {
    await stage.connect(which.clients);
    const sessions = stage.players.map(({ sessionId }) => sessionId);
    await requests.greet();
    requests.begin();
    await stage.beginPushes();
    await pause(plan.hold);
    const { killedAt, promoted } = await killPrimary(stage, requests);
    const back = await everybodyIsBack(stage, killedAt);
    await pause(plan.hold);
    await requests.end();
    const pushes = await promisesAreKept(stage);
    const { executed, repeated } = await stage.executions();
    const { answered, unknown, refused } = requests;
    const possible = answered <= executed && executed <= answered + unknown;
    if (repeated > 0) throw new Error(`${repeated} requests were executed twice`);
    if (!possible) {
      throw new Error(`${executed} executions of ${answered} answered and ${unknown} unknown`);
    }
    const kept = stage.players.filter(({ sessionId }, index) => sessionId === sessions[index]);
    if (kept.length < plan.sessions) {
      throw new Error(`${plan.sessions - kept.length} clients came back to another session`);
    }
    return {
      contestant: which.name,
      case: `kill -9, ${counted(plan.sessions, 'sessions')}`,
      resumed: kept.length,
      promoted: Math.round(promoted),
      backP50: Math.round(back.percentile(50)),
      backP99: Math.round(back.percentile(99)),
      lastResumed: Math.round(back.percentile(100)),
      waitP50: Math.round(requests.waits.percentile(50)),
      waitP99: Math.round(requests.waits.percentile(99)),
      waitMax: Math.round(requests.waits.percentile(100)),
      answered,
      unknown,
      refused,
      executed,
      executedTwice: repeated,
      pushes,
      pushesLost: 0,
    };
  } catch (error) {
    throw new Error(`${which.name}: ${String(error)}`, { cause: error });
  } finally {
    requests.abort();
    await stage.close();
  }
}

/** Only where everything is confirmed at that moment does sync mode promise what is checked here. */
async function killPrimary(
  stage: FailoverStage,
  requests: RequestStream,
): Promise<{ killedAt: number; promoted: number }> {
  const { primary, standby } = stage.pair;
  for (;;) {
    await stage.pair.whole();
    const stats = await statsOf(primary);
    if (stats !== null && isInSync(stats)) break;
  }
  const killedAt = performance.now();
  primary.process.kill();
  requests.noteKill(killedAt);
  for (;;) {
    const stats = await statsOf(standby);
    if (stats?.role === 'primary' && stats.accepting) break;
    if (performance.now() - killedAt > RETURN_MS) throw new Error('nobody took over');
    await pause(POLL_MS);
  }
  return { killedAt, promoted: performance.now() - killedAt };
}

/** @returns ms from the kill until each had its session again. @throws {Error} where one has not. */
async function everybodyIsBack(stage: FailoverStage, killedAt: number): Promise<LatencyRecorder> {
  const away = () => stage.players.filter(({ startedAt }) => startedAt < killedAt);
  while (away().length > 0) {
    if (performance.now() - killedAt > RETURN_MS) {
      throw new Error(`${away().length} clients did not come back within ${RETURN_MS / 1000} s`);
    }
    await pause(POLL_MS * 5);
  }
  const back = new LatencyRecorder();
  for (const { startedAt } of stage.players) back.record(startedAt - killedAt);
  return back;
}

/** @returns pushes that were answered with success. @throws {Error} where one is missing or wrong. */
async function promisesAreKept(stage: FailoverStage): Promise<number> {
  const { accepted, fault } = await stage.endPushes();
  if (fault !== null) throw new Error(fault);
  const missing = () =>
    stage.players.filter(({ pushes }, index) => pushes.last < (accepted[index] ?? 0)).length;
  for (const until = Date.now() + ARRIVAL_MS; missing() > 0 && Date.now() < until;) {
    await pause(POLL_MS);
  }
  if (missing() > 0) throw new Error(`${missing()} clients lack pushes that were promised`);
  const sum = (what: 'repeated' | 'outOfOrder') =>
    stage.players.reduce((total, { pushes }) => total + pushes[what], 0);
  if (sum('repeated') > 0) throw new Error(`${sum('repeated')} pushes came twice`);
  if (sum('outOfOrder') > 0) throw new Error(`${sum('outOfOrder')} pushes came out of order`);
  const wronged = stage.players.filter(({ faults }) => faults.length > 0);
  if (wronged[0] !== undefined) {
    const { openid, faults } = wronged[0];
    throw new Error(`${wronged.length} clients were wronged: ${openid}: ${faults.join('; ')}`);
  }
  return accepted.reduce((total, count) => total + count, 0);
}
