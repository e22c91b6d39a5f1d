import { setTimeout as pause } from 'node:timers/promises';
import { EchoWorkload } from '../client/echo-workload.js';
import { numbered } from '../client/openids.js';
import { SessionPool, localTarget } from '../client/session-pool.js';
import type { Row } from '../report/row.js';
import type { Contestant } from './contestant.js';
import { datagramDrops } from './datagram-drops.js';
import { IdleCrowd } from './idle-crowd.js';
import { counted, freshPrefix } from './rounds.js';

export interface IdlePlan {
  readonly sessions: number;
  /** They are begun evenly over this time, ms; 0: as fast as it goes. */
  readonly ramp: number;
  /** Every session sends a heartbeat so often, counted from its own start, ms. */
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
 * Opens sessions from processes of their own, then holds them with heartbeats.
 * @returns `cpuPerConnect`, us of the gateway, handshake, START and what heartbeats fell due included;
 * `connectsPerSecond`; `bytesPerSession`, resident memory that each added; `cpuShare` of one core while
 * they were held; `heartbeatsAnswered`, `heartbeatP99` (ms, from when it was due); `disconnects`;
 * `clientStall`, ms that a client stood still; `datagramsDropped` by the kernel for want of buffer; of
 * active sessions `requests`, `p50` and `p99` (ms).
 * @throws {Error} where a heartbeat is not answered, a session ends, or an answer is wrong.
 */
export async function runIdle(contestant: Contestant, plan: IdlePlan): Promise<Row> {
  const crowd = await IdleCrowd.start(contestant.port, plan);
  const active = new SessionPool(localTarget(contestant.port), { sockets: 1 });
  const options = { action: 'echo', bytes: BYTES, inFlight: IN_FLIGHT };
  const echo = new EchoWorkload(active.sessions, options);
  try {
    const dropsBefore = datagramDrops();
    const residentBefore = contestant.gateway.residentBytes();
    const cpuBefore = contestant.gateway.cpuSeconds();
    const started = performance.now();
    await crowd.open();
    const connectSeconds = (performance.now() - started) / 1000;
    const connectCpu = contestant.gateway.cpuSeconds() - cpuBefore;
    const residentAfter = contestant.gateway.residentBytes();
    // At the pace of the others: a burst of handshakes would be measured with what follows.
    const activeRamp = (plan.ramp * plan.active) / plan.sessions;
    await active.open(numbered(freshPrefix('active'), plan.active), echo, null, activeRamp);
    await pause(SETTLE_MS);
    const holdCpu = contestant.gateway.cpuSeconds();
    const held = performance.now();
    await crowd.begin();
    if (plan.active === 0) await pause(plan.hold);
    else await echo.run({ kind: 'open', rate: plan.rate }, { ms: plan.hold });
    const cpuShare =
      (contestant.gateway.cpuSeconds() - holdCpu) / ((performance.now() - held) / 1000);
    const { sent, answered, disconnects, faults, ...seen } = await crowd.end();
    if (answered !== sent || disconnects > 0 || faults.length > 0) {
      const dropped = datagramDrops() - dropsBefore;
      const sight = `${sent} heartbeats, ${answered} answers, ${disconnects} disconnects; the kernel dropped ${dropped} datagrams, a client stood still for ${seen.clientStall} ms`;
      throw new Error([sight, ...faults].join('\n'));
    }
    return {
      contestant: contestant.name,
      case: counted(plan.sessions, 'sessions'),
      sessions: plan.sessions,
      cpuPerConnect: (connectCpu / plan.sessions) * 1e6,
      connectsPerSecond: plan.sessions / connectSeconds,
      bytesPerSession: (residentAfter - residentBefore) / plan.sessions,
      cpuShare,
      heartbeatsAnswered: answered,
      disconnects,
      datagramsDropped: datagramDrops() - dropsBefore,
      ...seen,
      ...(plan.active === 0 ? {} : activeFigures(echo)),
    };
  } finally {
    await active.close();
    await crowd.stop();
  }
}

function activeFigures({ timings }: EchoWorkload): Record<string, number> {
  const { count, p50, p99 } = timings.sinceDue.figures();
  return { requests: count, p50, p99 };
}
