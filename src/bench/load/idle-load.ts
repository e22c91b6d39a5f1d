import { beatInTurn } from '../client/heartbeats.js';
import { EchoWorkload } from '../client/echo-workload.js';
import type { LoadSession } from '../client/load-session.js';
import { numbered } from '../client/openids.js';
import { SessionPool, localTarget } from '../client/session-pool.js';
import type { Row } from '../report/row.js';
import type { Contestant } from './contestant.js';
import { counted, freshPrefix, pause, socketsFor } from './rounds.js';

export interface IdlePlan {
  readonly sessions: number;
  /** Every session sends a heartbeat so often, spread evenly, ms. */
  readonly heartbeatEvery: number;
  /** How long they are held, ms. */
  readonly hold: number;
  /** Sessions among them that send requests meanwhile; 0: none. */
  readonly active: number;
  /** Requests of those together, per second, by the clock. */
  readonly rate: number;
}

const BYTES = 100;
/** Requests that an active session may have under way: latency, not this, must limit an open loop. */
const IN_FLIGHT = 64;

/** A memory reading needs the garbage of connecting to be gone. */
const SETTLE_MS = 5_000;

/**
 * Opens sessions, then holds them with heartbeats.
 * @returns `cpuPerConnect`, us of the gateway, handshake and START included; `connectsPerSecond`;
 * `bytesPerSession`, resident memory that each added; `cpuShare` of one core while they were held;
 * `heartbeatsAnswered`; `disconnects`; of active sessions `requests`, `p50` and `p99` (ms).
 * @throws {Error} where a heartbeat is not answered, a session ends, or an answer is wrong.
 */
export async function runIdle(contestant: Contestant, plan: IdlePlan): Promise<Row> {
  const watch = new IdleWatch();
  const pool = new SessionPool(localTarget(contestant.port), {
    sockets: socketsFor(plan.sessions),
  });
  const active = new SessionPool(localTarget(contestant.port), { sockets: 1 });
  const options = { action: 'echo', bytes: BYTES, inFlight: IN_FLIGHT };
  const echo = new EchoWorkload(active.sessions, options);
  try {
    const residentBefore = contestant.gateway.residentBytes();
    const cpuBefore = contestant.gateway.cpuSeconds();
    const started = performance.now();
    await pool.open(numbered(freshPrefix('idle'), plan.sessions), watch);
    const connectSeconds = (performance.now() - started) / 1000;
    const connectCpu = contestant.gateway.cpuSeconds() - cpuBefore;
    const residentAfter = contestant.gateway.residentBytes();
    await active.open(numbered(freshPrefix('active'), plan.active), echo);
    await pause(SETTLE_MS);
    const holdCpu = contestant.gateway.cpuSeconds();
    const held = performance.now();
    const asked =
      plan.active === 0 ? null : echo.run({ kind: 'open', rate: plan.rate }, { ms: plan.hold });
    const sent = await beatInTurn(pool.sessions, plan.heartbeatEvery, plan.hold, (session) =>
      session.heartbeat(Date.now()),
    );
    await asked;
    const holdSeconds = (performance.now() - held) / 1000;
    await pause(1_000);
    if (watch.answered !== sent || watch.faults.length > 0) {
      throw new Error(`${sent} heartbeats, ${watch.answered} answers; ${watch.faults.join('; ')}`);
    }
    return {
      contestant: contestant.name,
      case: counted(plan.sessions, 'sessions'),
      sessions: plan.sessions,
      cpuPerConnect: (connectCpu / plan.sessions) * 1e6,
      connectsPerSecond: plan.sessions / connectSeconds,
      bytesPerSession: (residentAfter - residentBefore) / plan.sessions,
      cpuShare: (contestant.gateway.cpuSeconds() - holdCpu) / holdSeconds,
      heartbeatsAnswered: watch.answered,
      disconnects: watch.faults.length,
      ...(plan.active === 0 ? {} : activeFigures(echo)),
    };
  } finally {
    await active.close();
    await pool.close();
  }
}

function activeFigures({ timings }: EchoWorkload): Record<string, number> {
  const { count, p50, p99 } = timings.sinceDue.figures();
  return { requests: count, p50, p99 };
}

class IdleWatch {
  answered = 0;
  readonly faults: string[] = [];

  onAnswer(): void {
    return;
  }

  onHeartbeat(): void {
    this.answered++;
  }

  onFault(session: LoadSession, reason: string): void {
    this.faults.push(`${session.openid}: ${reason}`);
  }
}
