import { EchoWorkload } from '../client/echo-workload.js';
import { numbered } from '../client/openids.js';
import { SessionPool, localTarget } from '../client/session-pool.js';
import type { Contestant, Starter } from './contestant.js';
import { runEcho } from './echo-load.js';
import { counted, freshPrefix, takeTurns } from './rounds.js';
import type { Emit } from './rounds.js';

export interface RatePlan {
  readonly sessions: number;
  readonly bytes: number;
  /** Requests per second; `half` is half of what the slowest contestant carries in a closed loop. */
  readonly rates: readonly (number | 'half')[];
  /** How long each rate is held, ms; a quarter of it more for warming up. */
  readonly hold: number;
  /** Of the closed loop that finds `half`. */
  readonly probeRequests: number;
  readonly rounds: number;
}

/** Requests that a session may have under way: latency, not this, must limit an open loop. */
const IN_FLIGHT = 64;

/** Before the first rate of a contestant: a compiler that works while it runs has done its work by then. */
const WARM_UP = { rate: 5_000, ms: 2_000 } as const;

/**
 * Open loop: requests by the clock, latency from when each was due (no coordinated omission). Rows:
 * `cpuPerRequest`, us of the gateway; `p50` and `p99`, ms; `perSecond`, what was carried.
 */
export async function runRate(
  starters: readonly Starter[],
  plan: RatePlan,
  emit: Emit,
): Promise<void> {
  const half = plan.rates.includes('half') ? await halfLoad(starters, plan) : 0;
  await takeTurns(starters, plan.rounds, async (contestant) => {
    await holdRate(
      contestant,
      { ...plan, hold: WARM_UP.ms },
      WARM_UP.rate,
      'warm-up',
      () => undefined,
    );
    for (const rate of plan.rates) {
      const isHalf = rate === 'half';
      const name = isHalf ? 'half load' : counted(rate, 'requests/s');
      await holdRate(contestant, plan, isHalf ? half : rate, name, emit);
    }
  });
}

async function holdRate(
  contestant: Contestant,
  plan: RatePlan,
  rate: number,
  name: string,
  emit: Emit,
): Promise<void> {
  const pool = new SessionPool(localTarget(contestant.port));
  const options = { action: 'echo', bytes: plan.bytes, inFlight: IN_FLIGHT };
  const echo = new EchoWorkload(pool.sessions, options);
  try {
    await pool.open(numbered(freshPrefix('rate'), plan.sessions), echo);
    await echo.run({ kind: 'open', rate }, { ms: plan.hold / 4 });
    const cpuBefore = contestant.gateway.cpuSeconds();
    const { done, elapsedMs } = await echo.run({ kind: 'open', rate }, { ms: plan.hold });
    const cpu = contestant.gateway.cpuSeconds() - cpuBefore;
    emit({
      contestant: contestant.name,
      case: name,
      rate,
      requests: done,
      perSecond: (done * 1000) / elapsedMs,
      cpuPerRequest: (cpu / done) * 1e6,
      p50: echo.timings.sinceDue.percentile(50),
      p99: echo.timings.sinceDue.percentile(99),
    });
  } finally {
    await pool.close();
  }
}

/** The same rate for all, so that their latencies can be compared. */
async function halfLoad(starters: readonly Starter[], plan: RatePlan): Promise<number> {
  const most: number[] = [];
  const requests = plan.probeRequests;
  const probe = { sessions: 50, inFlight: 8, bytes: plan.bytes, warmup: requests / 4, requests };
  await takeTurns(starters, 1, async (contestant) => {
    most.push(Number((await runEcho(contestant, probe))['perSecond']));
  });
  return Math.max(1, Math.floor(Math.min(...most) / 2));
}
