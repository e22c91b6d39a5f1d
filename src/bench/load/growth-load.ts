import { setTimeout as pause } from 'node:timers/promises';
import { EchoWorkload } from '../client/echo-workload.js';
import { numbered } from '../client/openids.js';
import { SessionPool, localTarget } from '../client/session-pool.js';
import type { Row } from '../report/row.js';
import type { Contestant } from './contestant.js';
import { counted, freshPrefix, socketsFor } from './rounds.js';

export interface GrowthPlan {
  /** Numbers of sessions, each before a gateway of its own. */
  readonly counts: readonly number[];
  /** Requests under way altogether, the same for every count. */
  readonly atMost: number;
  readonly bytes: number;
  readonly requests: number;
}

/** A memory reading needs the garbage of connecting to be gone, ms. */
const SETTLE_MS = 3_000;

/**
 * What a request costs where so many sessions take turns in asking: the same load, only spread wider.
 * @returns `cpuPerRequest`, us; `bytesPerSession`, resident memory that each session added.
 */
export async function runGrowth(
  contestant: Contestant,
  sessions: number,
  plan: GrowthPlan,
): Promise<Row> {
  const pool = new SessionPool(localTarget(contestant.port), { sockets: socketsFor(sessions) });
  const { bytes, requests } = plan;
  const atMost = Math.min(plan.atMost, sessions);
  const echo = new EchoWorkload(pool.sessions, { action: 'echo', bytes, inFlight: 1, atMost });
  try {
    const residentBefore = contestant.gateway.residentBytes();
    await pool.open(numbered(freshPrefix('growth'), sessions), echo);
    await pause(SETTLE_MS);
    const resident = contestant.gateway.residentBytes() - residentBefore;
    // Each session at least once: first requests are dearer, and caches must be as they stay.
    await echo.run({ kind: 'closed' }, { pieces: Math.max(sessions, requests / 2) });
    const cpuBefore = contestant.gateway.cpuSeconds();
    const { done, elapsedMs } = await echo.run({ kind: 'closed' }, { pieces: requests });
    const cpu = contestant.gateway.cpuSeconds() - cpuBefore;
    return {
      contestant: contestant.name,
      case: counted(sessions, 'sessions'),
      sessions,
      requests: done,
      perSecond: (done * 1000) / elapsedMs,
      cpuPerRequest: (cpu / done) * 1e6,
      bytesPerSession: resident / sessions,
    };
  } finally {
    await pool.close();
  }
}
