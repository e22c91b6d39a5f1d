import { sleep } from '../base/clock.js';
import type { Clock } from '../base/clock.js';
import { LINGER_MS } from '../link/link.js';
import type { SessionService } from '../session/session-service.js';

/** How often a stop looks whether the last connections are closed, ms. */
const CLOSE_POLL_MS = 20;

/** Resolves when no client is connected any more: closing while last frames are under way would discard them. */
export async function clientsGone(
  sessions: Pick<SessionService, 'connectionCount'>,
  clock: Clock,
): Promise<void> {
  const deadline = clock.now() + 2 * LINGER_MS;
  while (sessions.connectionCount > 0 && clock.now() < deadline) {
    await sleep(clock, CLOSE_POLL_MS);
  }
}
