import { setTimeout as pause } from 'node:timers/promises';
import type { LoadSession } from '../client/load-session.js';
import type { LoadTransport } from '../client/load-transport.js';
import { numbered } from '../client/openids.js';
import { SessionPool, localTarget } from '../client/session-pool.js';
import type { Row } from '../report/row.js';
import type { Contestant } from './contestant.js';
import { counted, freshPrefix, socketsFor } from './rounds.js';

/**
 * Sessions that are there before memory is first read, as a share of those that are measured: what a
 * gateway needs once, for code and heaps, is nobody's share.
 */
const FIRST_SHARE = 0.25;

const BYTES_PER_KB = 1_000;

export interface HeldPlan {
  readonly sessions: number;
  /** Silence before memory is read, ms: the garbage of connecting must be gone. */
  readonly settle: number;
}

/**
 * Opens sessions that do nothing then.
 * @returns `kbPerSession`: resident memory of the gateway that each added, kB.
 * @throws {Error} where one is refused or ends, or does not answer a heartbeat in the end.
 */
export async function runHeld(
  contestant: Contestant,
  { sessions, settle }: HeldPlan,
  transport: LoadTransport,
): Promise<Row> {
  const call = new RollCall();
  const first = Math.ceil(sessions * FIRST_SHARE);
  const sockets = socketsFor(first + sessions);
  const pool = new SessionPool(localTarget(contestant.port), { sockets, transport });
  try {
    await pool.open(numbered(freshPrefix('first'), first), call);
    await pause(settle);
    const before = contestant.gateway.residentBytes();
    await pool.open(numbered(freshPrefix('held'), sessions), call);
    await pause(settle);
    const added = contestant.gateway.residentBytes() - before;
    await call.answered(pool.sessions);
    return {
      contestant: contestant.name,
      case: counted(sessions, 'idle sessions'),
      sessions,
      kbPerSession: added / sessions / BYTES_PER_KB,
    };
  } finally {
    await pool.close();
  }
}

/** How long the last heartbeat may take, ms. */
const ROLL_CALL_MS = 30_000;
const LOOK_MS = 20;

/** Whether all sessions are still there. */
class RollCall {
  private readonly faults: string[] = [];
  private answers = 0;

  /** @throws {Error} where a session did not answer a heartbeat, or anything went wrong before. */
  async answered(sessions: readonly LoadSession[]): Promise<void> {
    const deadline = Date.now() + ROLL_CALL_MS;
    for (const session of sessions) session.heartbeat(Date.now());
    while (this.answers < sessions.length && this.faults.length === 0) {
      if (Date.now() > deadline) this.faults.push(`${this.answers} heartbeats were answered`);
      await pause(LOOK_MS);
    }
    if (this.faults.length > 0) {
      throw new Error(`${sessions.length} sessions were held; ${this.faults.join('; ')}`);
    }
  }

  onAnswer(): void {
    return;
  }

  onHeartbeat(): void {
    this.answers++;
  }

  onFault(session: LoadSession, reason: string): void {
    this.faults.push(`${session.openid}: ${reason}`);
  }
}
