import type { TokenBucket } from '../base/token-bucket.js';
import { LOGIN_FIRST, OVER_QPS, notKept, overSessionRate } from './refusal.js';
import type { StoredRefusal } from './refusal.js';
import type { SessionEnvironment } from './session-environment.js';

/** The part of a session that decides whether its requests are admitted. */
export interface RequestSender {
  /** How many requests it may send; null where sessions are not limited. */
  readonly rate: TokenBucket | null;
  readonly loggedIn: boolean;
}

/** Why the gateway itself answers a request whose number is consumed; null: an upstream is asked. */
export function refusedHere(
  sender: RequestSender,
  action: string,
  now: number,
  { options, overload, journal }: SessionEnvironment,
): StoredRefusal | null {
  const wait = sender.rate === null ? 0 : sender.rate.take(now);
  if (wait > 0) return overSessionRate(wait);
  if (!sender.loggedIn && action !== options.loginAction) return LOGIN_FIRST;
  const obstacle = journal === null ? null : journal.obstacle;
  if (obstacle !== null) return notKept(obstacle.reason);
  return overload.admitRequest(now) ? null : OVER_QPS;
}
