import { EchoWorkload } from '../client/echo-workload.js';
import { numbered } from '../client/openids.js';
import { SessionPool, localTarget } from '../client/session-pool.js';
import type { Row } from '../report/row.js';
import type { Contestant } from './contestant.js';
import type { HostileCounts, HostileKind } from './hostile-crowd.js';
import { LoadProcess } from './load-process.js';
import { counted, freshPrefix, socketsFor } from './rounds.js';

export interface HostileLoadPlan {
  readonly good: number;
  /** Requests of the good sessions together, per second, by the clock. */
  readonly rate: number;
  readonly hostile: number;
  readonly kind: HostileKind;
  /** Hostile connections that come back per second after they were thrown out. */
  readonly returnsPerSecond: number;
  /** How long the good ones are measured alone, and again beside the others, ms. */
  readonly hold: number;
}

const BYTES = 100;
const IN_FLIGHT = 64;

/**
 * Good sessions alone, then the same ones while a crowd of hostile connections of another process
 * arrives, then beside it.
 * @returns `p99Alone`, `p99Arriving` and `p99Beside`, ms, `p99Ratio` of last and first; what became of the crowd.
 * @throws {WorkNotDone} where a good session ended or an answer was wrong or missing.
 */
export async function runHostile(contestant: Contestant, plan: HostileLoadPlan): Promise<Row> {
  const pool = new SessionPool(localTarget(contestant.port), { sockets: socketsFor(plan.good) });
  const options = { action: 'echo', bytes: BYTES, inFlight: IN_FLIGHT };
  const echo = new EchoWorkload(pool.sessions, options);
  const arrival = { kind: 'open', rate: plan.rate } as const;
  let arriving: Promise<LoadProcess> | null = null;
  try {
    await pool.open(numbered(freshPrefix('good'), plan.good), echo);
    await echo.run(arrival, { ms: plan.hold / 4 });
    await echo.run(arrival, { ms: plan.hold });
    const alone = echo.timings.sinceDue.figures();
    const args = [plan.hostile, plan.kind, plan.returnsPerSecond];
    const where = [contestant.port, contestant.wsPort ?? 0];
    arriving = LoadProcess.start('hostile-part.js', [...where, ...args].map(String));
    const during = await echo.run(arrival, { ms: plan.hold });
    const amid = echo.timings.sinceDue.figures();
    const crowd = await arriving;
    const { done } = await echo.run(arrival, { ms: plan.hold });
    const beside = echo.timings.sinceDue.figures();
    const counts = (await crowd.ask('counts')) as HostileCounts;
    return {
      contestant: contestant.name,
      case: `${counted(plan.hostile, plan.kind)} beside ${plan.good.toLocaleString('en-US')} good`,
      requests: alone.count + during.done + done,
      dropped: pool.sessions.filter((session) => session.ended).length,
      p50Alone: alone.p50,
      p99Alone: alone.p99,
      p50Arriving: amid.p50,
      p99Arriving: amid.p99,
      p50Beside: beside.p50,
      p99Beside: beside.p99,
      p99Ratio: beside.p99 / alone.p99,
      hostileOpen: counts.open,
      hostileOpened: counts.opened,
      hostileEnded: counts.ended,
      hostileRefused: counts.refused,
    };
  } finally {
    await arriving?.then((crowd) => crowd.stop());
    await pool.close();
  }
}
