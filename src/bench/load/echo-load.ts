import { EchoWorkload } from '../client/echo-workload.js';
import { numbered } from '../client/openids.js';
import { SessionPool, localTarget } from '../client/session-pool.js';
import type { Contestant } from './contestant.js';

export interface EchoPlan {
  readonly sessions: number;
  readonly inFlight: number;
  readonly bytes: number;
  /** Requests before the measured ones: code is compiled, windows are open. */
  readonly warmup: number;
  readonly requests: number;
}

export interface EchoResult {
  readonly contestant: string;
  readonly requests: number;
  readonly perSecond: number;
  /** Of the gateway process, user and system, microseconds. */
  readonly cpuPerRequest: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

/**
 * Closed loop: every session keeps `inFlight` requests under way until all are answered. Each answer
 * is compared byte for byte with what was asked; one that differs ends the run.
 * @throws {Error} where anything but the right answers came.
 */
export async function runEcho(contestant: Contestant, plan: EchoPlan): Promise<EchoResult> {
  const pool = new SessionPool(localTarget(contestant.port));
  const echo = new EchoWorkload(pool.sessions, { ...plan, action: 'echo' });
  try {
    const openids = numbered(`echo-${process.pid}-${Date.now()}`, plan.sessions);
    await pool.open(openids, echo);
    await echo.run({ kind: 'closed' }, { pieces: plan.warmup });
    const cpuBefore = contestant.gateway.cpuSeconds();
    const { done, elapsedMs } = await echo.run({ kind: 'closed' }, { pieces: plan.requests });
    const cpu = contestant.gateway.cpuSeconds() - cpuBefore;
    return {
      contestant: contestant.name,
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
