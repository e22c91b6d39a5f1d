import { ConnectWorkload } from '../client/connect-workload.js';
import { numbered } from '../client/openids.js';
import { SessionPool, localTarget } from '../client/session-pool.js';
import type { Row } from '../report/row.js';
import type { Contestant } from './contestant.js';
import { freshPrefix } from './rounds.js';

export interface ConnectPlan {
  /** Connects under way at once. */
  readonly inFlight: number;
  readonly warmup: number;
  readonly connects: number;
}

/**
 * A storm of connects, each with a TLS handshake, START, one heartbeat that is answered, and STOP.
 * @returns `cpuPerConnect` of the gateway, us; `perSecond`; `p50`, `p99` until START was answered, ms.
 * @throws {Error} where one of them did not do all that.
 */
export async function runConnects(contestant: Contestant, plan: ConnectPlan): Promise<Row> {
  const pool = new SessionPool(localTarget(contestant.port));
  // The peer does not serve an openid anew: everyone comes once.
  const openids = numbered(freshPrefix('connect'), plan.warmup + plan.connects);
  const storm = new ConnectWorkload(pool, { openids, inFlight: plan.inFlight });
  try {
    await storm.run({ kind: 'closed' }, { pieces: plan.warmup });
    const cpuBefore = contestant.gateway.cpuSeconds();
    const { done, elapsedMs } = await storm.run({ kind: 'closed' }, { pieces: plan.connects });
    const cpu = contestant.gateway.cpuSeconds() - cpuBefore;
    return {
      contestant: contestant.name,
      case: `${plan.inFlight} at once`,
      connects: done,
      perSecond: (done * 1000) / elapsedMs,
      cpuPerConnect: (cpu / done) * 1e6,
      p50: storm.timings.sinceBegun.percentile(50),
      p99: storm.timings.sinceBegun.percentile(99),
    };
  } finally {
    await pool.close();
  }
}
