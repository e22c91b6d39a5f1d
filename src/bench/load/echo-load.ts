import { EchoWorkload } from '../client/echo-workload.js';
import { numbered } from '../client/openids.js';
import { GATESVR_TRANSPORT } from '../client/load-transport.js';
import { SessionPool, localTarget } from '../client/session-pool.js';
import type { Row } from '../report/row.js';
import type { Contestant } from './contestant.js';
import { counted, freshPrefix } from './rounds.js';

export interface EchoPlan {
  readonly sessions: number;
  readonly inFlight: number;
  readonly bytes: number;
  /** Requests before the measured ones: code is compiled, windows are open. */
  readonly warmup: number;
  readonly requests: number;
}

/**
 * Closed loop: every session keeps `inFlight` requests under way until all are answered. Each answer
 * is compared byte for byte with what was asked; one that differs ends the run.
 * @returns `cpuPerRequest` of the gateway process, user and system, us; `perSecond`; `p50`, `p99`, ms.
 * @throws {Error} where anything but the right answers came.
 */
export async function runEcho(
  contestant: Contestant,
  plan: EchoPlan,
  transport = GATESVR_TRANSPORT,
): Promise<Row> {
  const pool = new SessionPool(localTarget(contestant.port), { transport });
  const echo = new EchoWorkload(pool.sessions, { ...plan, action: 'echo' });
  try {
    await pool.open(numbered(freshPrefix('echo'), plan.sessions), echo);
    await echo.run({ kind: 'closed' }, { pieces: plan.warmup });
    const cpuBefore = contestant.gateway.cpuSeconds();
    const { done, elapsedMs } = await echo.run({ kind: 'closed' }, { pieces: plan.requests });
    const cpu = contestant.gateway.cpuSeconds() - cpuBefore;
    return {
      contestant: contestant.name,
      case: `${counted(plan.sessions, 'sessions')} x ${plan.inFlight}`,
      requests: done,
      perSecond: (done * 1000) / elapsedMs,
      cpuPerRequest: (cpu / done) * 1e6,
      p50: echo.timings.sinceBegun.percentile(50),
      p99: echo.timings.sinceBegun.percentile(99),
    };
  } finally {
    await pool.close();
  }
}
