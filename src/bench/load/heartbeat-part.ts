import { LatencyRecorder } from '../client/latency-recorder.js';
import type { LoadSession } from '../client/load-session.js';
import { numbered } from '../client/openids.js';
import { SessionPool, localTarget } from '../client/session-pool.js';
import { servePart } from './load-process.js';
import { freshPrefix, pause } from './rounds.js';

// Sessions whose heartbeats are timed while others are busy; arguments: port, sessions, heartbeats per
// second altogether. `begin` starts to count, `end` answers with the figures.

/** How long the last ones may take, ms. */
const PATIENCE_MS = 10_000;

const [port = 0, count = 1, perSecond = 1] = process.argv.slice(2).map(Number);
const pool = new SessionPool(localTarget(port), { sockets: 1 });
const latencies = new LatencyRecorder();
const open = new Map<LoadSession, { stamp: number; sentAt: number }>();
let next = 0;

await pool.open(numbered(freshPrefix('heart'), count), {
  onAnswer: () => broken('an answer to no request'),
  onFault: (session, reason) => broken(`${session.openid}: ${reason}`),
  onHeartbeat: (session, stamp) => {
    const beat = open.get(session);
    if (beat?.stamp !== stamp) return broken('a heartbeat with a wrong answer');
    open.delete(session);
    latencies.record(performance.now() - beat.sentAt);
  },
});

let timer: NodeJS.Timeout | null = null;
servePart(null, {
  begin: () => {
    latencies.reset();
    timer = setInterval(beat, 1000 / perSecond);
  },
  end: async () => {
    if (timer !== null) clearInterval(timer);
    const deadline = performance.now() + PATIENCE_MS;
    while (open.size > 0 && performance.now() < deadline) await pause(10);
    if (open.size > 0) broken(`${open.size} heartbeats without an answer`);
    return latencies.figures();
  },
});

function beat(): void {
  const session = pool.sessions[next++ % pool.sessions.length];
  // Whose last heartbeat is still open is waited for: that one will be the slow one.
  if (session === undefined || open.has(session)) return;
  const stamp = Date.now();
  open.set(session, { stamp, sentAt: performance.now() });
  session.heartbeat(stamp);
}

function broken(reason: string): void {
  process.stderr.write(`heartbeats: ${reason}\n`);
  process.exit(1);
}
