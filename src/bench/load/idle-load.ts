import { beatInTurn } from '../client/heartbeats.js';
import type { LoadSession } from '../client/load-session.js';
import { numbered } from '../client/openids.js';
import { SessionPool, localTarget } from '../client/session-pool.js';
import type { Contestant } from './contestant.js';

export interface IdlePlan {
  readonly sessions: number;
  /** Every session sends a heartbeat so often, spread evenly, ms. */
  readonly heartbeatEvery: number;
  /** How long they are held, ms. */
  readonly hold: number;
}

export interface IdleResult {
  readonly contestant: string;
  readonly sessions: number;
  /** Of the gateway process, handshake and START included, microseconds. */
  readonly cpuPerConnect: number;
  readonly connectsPerSecond: number;
  /** Resident memory that each session added, bytes. */
  readonly bytesPerSession: number;
  /** Share of one core that the gateway used while it held them. */
  readonly cpuShare: number;
  readonly heartbeatsAnswered: number;
  readonly disconnects: number;
}

/** A memory reading needs the garbage of connecting to be gone. */
const SETTLE_MS = 5_000;

/**
 * Opens sessions, then holds them with heartbeats. Fails where a heartbeat is not answered or a
 * session ends.
 */
export async function runIdle(contestant: Contestant, plan: IdlePlan): Promise<IdleResult> {
  const watch = new IdleWatch();
  const pool = new SessionPool(localTarget(contestant.port), { sockets: 8 });
  try {
    const residentBefore = contestant.gateway.residentBytes();
    const cpuBefore = contestant.gateway.cpuSeconds();
    const started = performance.now();
    await pool.open(numbered(`idle-${process.pid}-${Date.now()}`, plan.sessions), watch);
    const connectSeconds = (performance.now() - started) / 1000;
    const connectCpu = contestant.gateway.cpuSeconds() - cpuBefore;
    await pause(SETTLE_MS);
    const holdCpu = contestant.gateway.cpuSeconds();
    const held = performance.now();
    const sent = await beatInTurn(pool.sessions, plan.heartbeatEvery, plan.hold, (session) =>
      session.heartbeat(Date.now()),
    );
    const holdSeconds = (performance.now() - held) / 1000;
    await pause(1_000);
    if (watch.answered !== sent) {
      throw new Error(`${sent} heartbeats, ${watch.answered} answers; ${watch.faults.join('; ')}`);
    }
    return {
      contestant: contestant.name,
      sessions: plan.sessions,
      cpuPerConnect: (connectCpu / plan.sessions) * 1e6,
      connectsPerSecond: plan.sessions / connectSeconds,
      bytesPerSession: (contestant.gateway.residentBytes() - residentBefore) / plan.sessions,
      cpuShare: (contestant.gateway.cpuSeconds() - holdCpu) / holdSeconds,
      heartbeatsAnswered: watch.answered,
      disconnects: watch.faults.length,
    };
  } finally {
    await pool.close();
  }
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

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
