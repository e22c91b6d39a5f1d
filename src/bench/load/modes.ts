import type { Starter } from './contestant.js';
import { runConnects } from './connect-load.js';
import { runEcho } from './echo-load.js';
import { runFanOut } from './fanout-load.js';
import { runGrowth } from './growth-load.js';
import { runHostile } from './hostile-load.js';
import { runIdle } from './idle-load.js';
import type { LoadOptions } from './load-options.js';
import { runFailovers } from './failover-load.js';
import { runRate } from './rate-load.js';
import { runReplication } from './replication-load.js';
import { runRestarts } from './restart-load.js';
import { takeTurns } from './rounds.js';
import type { Emit } from './rounds.js';
import { runSoak } from './soak-load.js';
import { runTransports } from './transports-load.js';

/** A mode measures, and emits a row for each contestant, case and round. */
type Mode = (options: LoadOptions, emit: Emit) => Promise<void>;

const BYTES = 100;
const FAN_OUT_BYTES = 200;
const SECOND = 1_000;
const MINUTE = 60_000;

/** What `node dist/bench/load/main.js MODE` can measure; docs/PERFORMANCE.md says what for. */
export const MODES: Readonly<Record<string, Mode>> = {
  echo: ({ starters, rounds = 3, number }, emit) => {
    const plan = {
      sessions: number('sessions') ?? 50,
      inFlight: number('in-flight') ?? 8,
      bytes: BYTES,
      warmup: number('warmup') ?? 15_000,
      requests: number('requests') ?? 60_000,
    };
    return takeTurns(starters, rounds, async (each) => emit(await runEcho(each, plan)));
  },

  rate: ({ starters, rounds = 3, rates = [1_000, 'half'], number }, emit) => {
    const plan = {
      sessions: number('sessions') ?? 100,
      bytes: BYTES,
      rates,
      hold: (number('hold') ?? 10) * SECOND,
      probeRequests: number('requests') ?? 20_000,
      rounds,
    };
    return runRate(starters, plan, emit);
  },

  connects: ({ starters, rounds = 3, number }, emit) => {
    const plan = {
      inFlight: number('in-flight') ?? 32,
      warmup: number('warmup') ?? 500,
      connects: number('requests') ?? 5_000,
    };
    return takeTurns(starters, rounds, async (each) => emit(await runConnects(each, plan)));
  },

  idle: ({ starters, rounds = 3, number }, emit) => {
    const plan = {
      sessions: number('sessions') ?? 20_000,
      ramp: (number('ramp') ?? 0) * SECOND,
      heartbeatEvery: (number('heartbeat') ?? 30) * SECOND,
      hold: (number('hold') ?? 120) * SECOND,
      active: number('active') ?? 0,
      rate: number('rate') ?? 1_000,
    };
    return takeTurns(starters, rounds, async (each) => emit(await runIdle(each, plan)));
  },

  growth: async ({ ours, counts = [100, 1_000, 10_000], rounds = 1, number }, emit) => {
    const requests = number('requests') ?? 40_000;
    const plan = { counts, atMost: number('in-flight') ?? 100, bytes: BYTES, requests };
    for (const count of counts) {
      await takeTurns([ours('unary')], rounds, async (each) =>
        emit(await runGrowth(each, count, plan)),
      );
    }
  },

  transports: ({ ours, rounds = 3, number, cases }, emit) => {
    const echo = {
      sessions: number('sessions') ?? 50,
      inFlight: number('in-flight') ?? 8,
      bytes: BYTES,
      warmup: number('warmup') ?? 15_000,
      requests: number('requests') ?? 60_000,
    };
    const idle = {
      sessions: number('idle') ?? 1_000,
      settle: (number('hold') ?? 5) * SECOND,
    };
    return runTransports(ours('unary'), { echo, idle, rounds, cases }, emit);
  },

  fanout: ({ ours, rounds = 1, number }, emit) => {
    const plan = {
      receivers: number('sessions') ?? 2_000,
      bytes: FAN_OUT_BYTES,
      deliveries: number('requests') ?? 80_000,
      audience: number('audience') ?? 20_000,
      broadcasts: number('broadcasts') ?? 10,
    };
    return once(ours('unary'), rounds, (each) => runFanOut(each, plan, emit));
  },

  hostile: ({ ours, rounds = 1, kind, number }, emit) => {
    const plan = {
      good: number('sessions') ?? 1_000,
      rate: number('rate') ?? 1_000,
      hostile: number('hostile') ?? 10_000,
      kind,
      returnsPerSecond: number('returns') ?? 100,
      hold: (number('hold') ?? 15) * SECOND,
    };
    return once(ours('unary'), rounds, async (each) => emit(await runHostile(each, plan)));
  },

  soak: ({ ours, rounds = 1, number }, emit) => {
    const plan = {
      sessions: number('sessions') ?? 100,
      bytes: BYTES,
      duration: (number('minutes') ?? 10) * MINUTE,
      rate: number('rate') ?? null,
      probeRequests: number('requests') ?? 20_000,
      pushShare: 0.1,
      loss: 0.05,
      rebindEvery: 10 * SECOND,
    };
    return once(ours('none'), rounds, async (each) => emit(await runSoak(each, plan)));
  },

  restart: async ({ number }, emit) => {
    const plan = {
      clients: number('sessions') ?? 200,
      restarts: number('restarts') ?? 3,
      hold: (number('hold') ?? 2) * SECOND,
    };
    emit(await runRestarts(plan));
  },

  replication: ({ rounds = 3, number, cases: contestants }, emit) => {
    const plan = {
      sessions: number('sessions') ?? 50,
      inFlight: number('in-flight') ?? 8,
      bytes: BYTES,
      warmup: number('warmup') ?? 10_000,
      requests: number('requests') ?? 40_000,
      hold: (number('hold') ?? 10) * SECOND,
      rounds,
      contestants,
    };
    return runReplication(plan, emit);
  },

  failover: ({ rounds = 1, number, cases }, emit) => {
    const sessions = number('sessions') ?? 10_000;
    const plan = {
      sessions,
      rate: number('rate') ?? Math.max(20, sessions / 8),
      pushes: number('pushes') ?? Math.max(10, sessions / 40),
      hold: (number('hold') ?? 10) * SECOND,
      rounds,
      cases,
    };
    return runFailovers(plan, emit);
  },
};

const once = (start: Starter, rounds: number, measure: Parameters<typeof takeTurns>[2]) =>
  takeTurns([start], rounds, measure);
