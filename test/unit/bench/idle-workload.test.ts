import { expect, test } from '@jest/globals';
import { IdleWorkload } from '../../../src/bench/client/idle-workload.js';
import type { LoadSession } from '../../../src/bench/client/load-session.js';

/** How long the event loop of the client stands still, ms. */
const STALL_MS = 400;
const HOLD_MS = 500;

test('a heartbeat that this process sent late counts from when it was due', async () => {
  const sessions = ['a', 'b', 'c', 'd', 'e'].map((openid) => sessionOf(openid));
  const workload: IdleWorkload = new IdleWorkload(sessions, HOLD_MS);
  let stalled = false;
  function sessionOf(openid: string): LoadSession {
    // Answered within the turn in which it was sent: only lateness of the client takes time.
    const heartbeat = (stamp: number): void => {
      if (!stalled) stall();
      stalled = true;
      setImmediate(() => workload.onHeartbeat(session, stamp));
    };
    const session = { openid, ended: false, heartbeat } as unknown as LoadSession;
    return session;
  }
  await workload.run({ kind: 'closed' }, { ms: HOLD_MS });
  expect(workload.done).toBe(10);
  const { sinceDue, sinceBegun } = workload.timings;
  // The other four were due while the first held everything up: late by 350, 250, 150 and 50 ms or more.
  expect(sinceDue.figures().mean - sinceBegun.figures().mean).toBeGreaterThan(50);
});

function stall(): void {
  const end = performance.now() + STALL_MS;
  while (performance.now() < end);
}
