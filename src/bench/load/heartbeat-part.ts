import { setTimeout as pause } from 'node:timers/promises';
import { numbered } from '../client/openids.js';
import { fillPayload } from '../client/payload.js';
import { benchData } from '../client/push-workload.js';
import { SessionPool, localTarget } from '../client/session-pool.js';
import { SteadyHeartbeats } from '../client/steady-heartbeats.js';
import type { LatencyFigures } from '../client/latency-recorder.js';
import type { LoadSession } from '../client/load-session.js';
import type { ServerPush } from '../../wire/messages.js';
import { servePart } from './load-process.js';
import { freshPrefix } from './rounds.js';

// Sessions whose heartbeats are timed while others are busy; arguments: port, sessions, heartbeats per
// second altogether, pushes that each session awaits. `begin` starts the heartbeats, `end` answers with
// a HeartbeatShare.

/** What these sessions saw. */
export interface HeartbeatShare {
  /** From when each heartbeat was due, late ones and those behind them included, ms. */
  readonly heartbeats: LatencyFigures;
  /** Pushes that they received, each compared byte for byte. */
  readonly pushes: number;
}

/** How long the last answers and pushes may take, ms. */
const PATIENCE_MS = 10_000;

const [port = 0, count = 1, perSecond = 1, pushesEach = 0] = process.argv.slice(2).map(Number);
const everyMs = (count * 1000) / perSecond;
const pool = new SessionPool(localTarget(port), { sockets: 1 });
const beats = new SteadyHeartbeats(everyMs, (session, reason) => broken(session, reason));
let pushes = 0;

await pool.open(numbered(freshPrefix('heart'), count), {
  onAnswer: (session) => broken(session, 'an answer to no request'),
  onFault: broken,
  onHeartbeat: (session, stamp) => beats.onAnswer(session, stamp),
  onPush: verify,
});

servePart(null, {
  begin: () => {
    pool.sessions.forEach((session, index) => beats.add(session, (index * everyMs) / count));
    return null;
  },
  end: async (): Promise<HeartbeatShare> => {
    beats.stop();
    const deadline = performance.now() + PATIENCE_MS;
    while (missing() > 0 && performance.now() < deadline) await pause(10);
    if (missing() > 0) broken(undefined, `${missing()} answers and pushes did not come`);
    return { heartbeats: beats.latencies.figures(), pushes };
  },
});

function missing(): number {
  return beats.open + Math.max(0, pushesEach * count - pushes);
}

function verify(session: LoadSession, push: ServerPush): void {
  const data = benchData(push);
  if (data === null) return;
  const expected = Buffer.alloc(data.length);
  fillPayload(expected, Buffer.from(data).readUInt32BE(0));
  if (!expected.equals(data)) return broken(session, 'a push with wrong bytes');
  pushes++;
}

function broken(session: LoadSession | undefined, reason: string): void {
  process.stderr.write(`heartbeats: ${session?.openid ?? ''} ${reason}\n`);
  process.exit(1);
}
