import type { OutboxFrame, SessionQuery, ZoneSessions } from '../ops/ops-source.js';
import type { Outbox } from '../session/outbox.js';
import type { Session } from '../session/session.js';
import type { SessionRegistry } from '../session/session-registry.js';

/** Frames of one outbox that are listed: what a person reads; there may be thousands. */
const LISTED_FRAMES = 50;

/**
 * One page of the sessions that a query asks for, and whether others follow. Handles tell the order
 * of beginning, in which the registry keeps sessions, and none is given twice.
 */
export function selectSessions(
  registry: SessionRegistry,
  query: SessionQuery,
): { page: Session[]; more: boolean } {
  const { limit, openidPrefix, zone } = query;
  const page: Session[] = [];
  let skip = query.offset;
  for (const session of registry.all()) {
    if (session.handle <= query.after) continue;
    if (zone !== '' && session.zone !== zone) continue;
    if (!session.openid.startsWith(openidPrefix)) continue;
    if (skip-- > 0) continue;
    if (page.length === limit) return { page, more: true };
    page.push(session);
  }
  return { page, more: false };
}

/** What the sessions of each zone amount to. */
export function sumByZone(sessions: Iterable<Session>): ZoneSessions[] {
  const zones = new Map<string, { -readonly [Key in keyof ZoneSessions]: ZoneSessions[Key] }>();
  for (const session of sessions) {
    const { zone } = session;
    let sum = zones.get(zone);
    if (sum === undefined) {
      sum = { zone, sessions: 0, active: 0, pendingFrames: 0, inFlight: 0 };
      zones.set(zone, sum);
    }
    sum.sessions++;
    if (session.active) sum.active++;
    sum.pendingFrames += session.outbox.totalFrames;
    sum.inFlight += session.ledger.inFlight;
  }
  return [...zones.values()];
}

/** The oldest frames of an outbox. */
export function firstFrames(outbox: Outbox): OutboxFrame[] {
  const frames: OutboxFrame[] = [];
  for (const { seq, clientSeq, frame } of outbox) {
    if (frames.length === LISTED_FRAMES) break;
    const kind = clientSeq === 0 ? 'push' : 'answer';
    frames.push({ seq, kind, clientSeq, bytes: frame.length, sent: seq < outbox.nextToSend });
  }
  return frames;
}
