import type { LoadSession } from './load-session.js';

/** How often it is looked who is due, ms: fine enough that heartbeats neither burst nor wait for it. */
const TICK_MS = 5;

/**
 * Sends heartbeats from all sessions in turn, evenly spread, until the time is over or no session lives.
 * @param everyMs how often each session sends one.
 * @param beat sends one that was due at a time of performance.now(), ms. @returns how many were sent.
 */
export async function beatInTurn(
  sessions: readonly LoadSession[],
  everyMs: number,
  holdMs: number,
  beat: (session: LoadSession, dueAt: number) => void,
): Promise<number> {
  const perMs = sessions.length / everyMs;
  const started = performance.now();
  let sent = 0;
  for (;;) {
    const elapsed = Math.min(performance.now() - started, holdMs);
    for (; sent < Math.floor(elapsed * perMs); sent++) {
      const session = sessions[sent % sessions.length];
      if (session !== undefined) beat(session, started + (sent + 1) / perMs);
    }
    if (elapsed >= holdMs || sessions.every(({ ended }) => ended)) return sent;
    await new Promise((resolve) => setTimeout(resolve, Math.min(TICK_MS, holdMs)));
  }
}
