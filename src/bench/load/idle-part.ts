import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { FaultBook, WorkNotDone } from '../client/fault-book.js';
import type { LatencyFigures } from '../client/latency-recorder.js';
import type { LoadObserver } from '../client/load-session.js';
import { numbered } from '../client/openids.js';
import { SessionPool, localTarget } from '../client/session-pool.js';
import { SteadyHeartbeats } from '../client/steady-heartbeats.js';
import { messageOf } from '../../base/errors.js';
import { servePart } from './load-process.js';
import { freshPrefix, socketsFor } from './rounds.js';

// Sessions that are only held, in a process of their own; arguments: port, sessions, ms between the
// heartbeats of each, ms over which they are begun. `open` connects them, `begin` starts the measurement
// of latencies, `end` answers with an IdleShare.

/** What one process saw. */
export interface IdleShare {
  readonly sent: number;
  readonly answered: number;
  readonly heartbeats: LatencyFigures;
  /** Sessions that ended although nobody wanted it. */
  readonly disconnects: number;
  /** What went wrong, in a few lines; null: nothing. */
  readonly fault: string | null;
  /** The longest time that this process itself stood still, ms. */
  readonly ownStall: number;
}

/** How long the last heartbeats may take to be answered, ms. */
const PATIENCE_MS = 10_000;

const [port = 0, count = 1, everyMs = 1, rampMs = 0] = process.argv.slice(2).map(Number);
const faults = new FaultBook();
const pool = new SessionPool(localTarget(port), { sockets: socketsFor(count) });
const beats = new SteadyHeartbeats(everyMs, (session, reason) =>
  faults.note(reason, session.openid),
);
const ownDelay = monitorEventLoopDelay({ resolution: 10 });
let disconnects = 0;

const observer: LoadObserver = {
  onStarted: (session) => beats.add(session),
  onAnswer: (session) => faults.note('an answer to no request', session.openid),
  onHeartbeat: (session, stamp) => beats.onAnswer(session, stamp),
  onFault: (session, reason) => {
    if (session.ended) disconnects++;
    faults.note(reason, session.openid);
  },
};

servePart(null, {
  open: async () => {
    try {
      await pool.open(numbered(freshPrefix('idle'), count), observer, null, rampMs);
      return null;
    } catch (error) {
      return messageOf(error);
    }
  },
  begin: () => {
    beats.latencies.reset();
    ownDelay.enable();
    return null;
  },
  end: async (): Promise<IdleShare> => {
    beats.stop();
    ownDelay.disable();
    const deadline = performance.now() + PATIENCE_MS;
    while (beats.open > 0 && performance.now() < deadline) await pause(10);
    if (beats.open > 0) faults.note(`${beats.open} heartbeats without an answer`);
    return {
      sent: beats.sent,
      answered: beats.answered,
      heartbeats: beats.latencies.figures(),
      disconnects,
      fault: faultLines(),
      ownStall: ownDelay.max / 1e6,
    };
  },
});

function faultLines(): string | null {
  try {
    faults.check();
    return null;
  } catch (error) {
    if (error instanceof WorkNotDone) return error.message;
    throw error;
  }
}
