import { randomUUID } from 'node:crypto';
import type { Clock } from '../../base/clock.js';
import { PushError } from './errors.js';
import type { PushFields } from './push-content.js';

/** What another attempt may bring to a better end. */
const PASSING: ReadonlySet<string> = new Set([
  'GATEWAY_UNREACHABLE',
  'OUTCOME_UNKNOWN',
  'NOT_PRIMARY',
  'REPLICATION_LAG',
  'SHUTTING_DOWN',
]);
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;
/** Pauses differ by up to so much, so that upstreams do not return to a gateway all at once. */
const JITTER = 0.3;

/**
 * Pushes until it is taken, refused for good, or the time is up; always under one idempotency key.
 * @param attempt one push. @throws {PushError} the last one.
 */
export async function pushWithRetry(
  fields: PushFields,
  forMs: number,
  clock: Clock,
  attempt: (fields: PushFields) => Promise<void>,
): Promise<void> {
  const until = clock.now() + forMs;
  const key = fields.idempotencyKey ?? '';
  const keyed = { ...fields, idempotencyKey: key === '' ? randomUUID() : key };
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(LONGEST_PAUSE_MS, pause * 2)) {
    try {
      await attempt(keyed);
      return;
    } catch (error) {
      const left = until - clock.now();
      if (!(error instanceof PushError) || !PASSING.has(error.code) || left <= 0) throw error;
      const jittered = pause * (1 + (Math.random() * 2 - 1) * JITTER);
      await new Promise<void>((resolve) => clock.after(Math.min(left, jittered), resolve));
    }
  }
}
