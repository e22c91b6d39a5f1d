import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { EchoWorkload } from '../client/echo-workload.js';
import { numbered } from '../client/openids.js';
import { SessionPool, localTarget } from '../client/session-pool.js';
import type { Row } from '../report/row.js';
import { BenchPair, isInSync, statsOf } from './bench-pair.js';
import { startOurs, startUpstream } from './contestant.js';
import type { Contestant, Starter } from './contestant.js';
import { runEcho } from './echo-load.js';
import type { EchoPlan } from './echo-load.js';
import { LagSeries } from './lag-series.js';
import { freshPrefix, takeTurns } from './rounds.js';
import type { Emit } from './rounds.js';

export interface ReplicationPlan extends EchoPlan {
  /** Half load is held for so long, ms; a quarter of it more for warming up. */
  readonly hold: number;
  readonly rounds: number;
  /** Names of the contestants; default: all. */
  readonly contestants: readonly string[] | undefined;
}

/** A gateway that keeps what it does somewhere else as well. */
interface Kept extends Contestant {
  /** Null for a gateway alone. */
  readonly pair: BenchPair | null;
}

interface Measured {
  readonly row: Row;
  /** All that were made meanwhile, also those that only warmed up. */
  readonly requests: number;
}

/** Requests that a session may have under way: latency, not this, must limit an open loop. */
const IN_FLIGHT = 64;
/** Confirmations are waited for longer than by default: degraded, sync mode would cost what async does. */
const SYNC_TIMEOUT = '5s';
/** A standby that lags for a moment on a shared machine is not dropped. */
const BUFFER_ENTRIES = '200000';
/** How long the standby may take to have everything after the load, ms. */
const CATCH_UP_MS = 30_000;
const CATCH_UP_POLL_MS = 50;

/**
 * What it costs a gateway to keep what it does: nowhere, on a standby (async, sync), on disk (each
 * fsync policy). Each in turn, freshly started, under the same closed loop, and then at the same rate,
 * half of what the slowest carried. Rows: `perSecond`, `cpuPerRequest` of the gateway (us), `p50`, `p99`
 * (ms); of a pair also `standbyCpuPerRequest` and the lag of the standby while it lasted.
 * @throws {Error} where an answer was wrong, or the standby was lost, degraded, or never had everything.
 */
export async function runReplication(plan: ReplicationPlan, emit: Emit): Promise<void> {
  const carried: number[] = [];
  const starters = startersOf(plan.contestants);
  await takeTurns(starters, plan.rounds, async (contestant) => {
    const name = `closed loop, ${plan.sessions} x ${plan.inFlight}`;
    const row = await watched(contestant as Kept, name, async () => ({
      row: await runEcho(contestant, plan),
      requests: plan.warmup + plan.requests,
    }));
    carried.push(Number(row['perSecond']));
    emit(row);
  });
  const rate = Math.max(1, Math.floor(Math.min(...carried) / 2));
  await takeTurns(starters, plan.rounds, async (contestant) => {
    emit(await watched(contestant as Kept, 'half load', () => holdRate(contestant, plan, rate)));
  });
}

const STARTERS: Readonly<Record<string, Starter>> = {
  off: () => alone('off', {}),
  async: () => paired('async'),
  sync: () => paired('sync'),
  'journal-never': () => alone('journal-never', { 'journal.fsync': 'never' }),
  'journal-interval': () => alone('journal-interval', { 'journal.fsync': 'interval' }),
  'journal-always': () => alone('journal-always', { 'journal.fsync': 'always' }),
};

function startersOf(names: readonly string[] = Object.keys(STARTERS)): Starter[] {
  return names.map((name) => {
    const starter = STARTERS[name];
    if (starter === undefined) {
      throw new Error(`--cases knows ${Object.keys(STARTERS).join(', ')}`);
    }
    return starter;
  });
}

async function alone(name: string, settings: Record<string, string>): Promise<Kept> {
  const folder = mkdtempSync(join(tmpdir(), 'gatesvr-journal-'));
  const journal = name === 'off' ? {} : { 'journal.path': join(folder, 'journal') };
  const contestant = await startOurs({ ...settings, ...journal });
  return {
    ...contestant,
    name,
    pair: null,
    stop: async () => {
      await contestant.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function paired(sync: 'async' | 'sync'): Promise<Kept> {
  const upstream = await startUpstream();
  const settings = {
    'server.upstream_addr': `127.0.0.1:${upstream.port}`,
    'backup.sync.timeout': SYNC_TIMEOUT,
    'backup.sync.buffer_size': BUFFER_ENTRIES,
  };
  const pair = await BenchPair.start({ sync, settings }).catch(async (error: unknown) => {
    await upstream.process.stop();
    throw error;
  });
  return {
    name: sync,
    gateway: pair.primary.process,
    port: pair.primary.quicPort,
    grpcPort: pair.primary.grpcPort,
    wsPort: null,
    pair,
    stop: async () => {
      await pair.stop();
      await upstream.process.stop();
    },
  };
}

/** Measures, and of a pair also what its standby cost and how far it was behind. */
async function watched(
  { name, pair }: Kept,
  which: string,
  measure: () => Promise<Measured>,
): Promise<Row> {
  if (pair === null) return { ...(await measure()).row, contestant: name, case: which };
  const lag = new LagSeries(pair.primary);
  lag.start();
  const cpuBefore = pair.standby.process.cpuSeconds();
  let measured: Measured;
  try {
    measured = await measure();
  } finally {
    await lag.stop();
  }
  const cpu = pair.standby.process.cpuSeconds() - cpuBefore;
  if (lag.interrupted > 0) {
    throw new Error('the standby fell away or did not confirm in time: the machine is too busy');
  }
  await hasEverything(pair);
  return {
    ...measured.row,
    contestant: name,
    case: which,
    standbyCpuPerRequest: (cpu / measured.requests) * 1e6,
    lagFramesP50: Math.round(lag.frames.percentile(50)),
    lagFramesMax: Math.round(lag.frames.percentile(100)),
    lagMsP50: Math.round(lag.ms.percentile(50)),
    lagMsMax: Math.round(lag.ms.percentile(100)),
  };
}

/** @throws {Error} where the standby does not come to where the primary is. */
async function hasEverything(pair: BenchPair): Promise<void> {
  const until = Date.now() + CATCH_UP_MS;
  for (;;) {
    const primary = await statsOf(pair.primary);
    const standby = await statsOf(pair.standby);
    await pause(CATCH_UP_POLL_MS);
    const same = primary !== null && primary.position === standby?.position;
    if (same && isInSync(primary)) return;
    if (Date.now() > until) {
      const found = JSON.stringify({ primary, standby });
      throw new Error(`the standby does not have everything: ${found}`);
    }
  }
}

async function holdRate(
  contestant: Contestant,
  plan: ReplicationPlan,
  rate: number,
): Promise<Measured> {
  const pool = new SessionPool(localTarget(contestant.port));
  const options = { action: 'echo', bytes: plan.bytes, inFlight: IN_FLIGHT };
  const echo = new EchoWorkload(pool.sessions, options);
  try {
    await pool.open(numbered(freshPrefix('kept'), plan.sessions), echo);
    const warm = await echo.run({ kind: 'open', rate }, { ms: plan.hold / 4 });
    const cpuBefore = contestant.gateway.cpuSeconds();
    const { done, elapsedMs } = await echo.run({ kind: 'open', rate }, { ms: plan.hold });
    const cpu = contestant.gateway.cpuSeconds() - cpuBefore;
    const row = {
      contestant: contestant.name,
      case: 'half load',
      requests: done,
      perSecond: (done * 1000) / elapsedMs,
      cpuPerRequest: (cpu / done) * 1e6,
      p50: echo.timings.sinceDue.percentile(50),
      p99: echo.timings.sinceDue.percentile(99),
    };
    return { row, requests: done + warm.done };
  } finally {
    await pool.close();
  }
}
