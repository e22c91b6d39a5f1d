import type { BroadcastRequest } from '../wire/messages.js';
import type { Session } from './session.js';
import type { SessionRegistry } from './session-registry.js';

/**
 * Whom a broadcast is for: everyone, or the sessions of zones and those that it names. Names are
 * looked up when it comes, for the id of a session is gone once a new incarnation has taken over.
 */
export class Audience {
  private constructor(
    private readonly everyone: boolean,
    /** Every session is held against them: each zone is there once, however often it was named. */
    private readonly zones: ReadonlySet<string>,
    /** The sessions behind openids and session ids, in their order; unknown ones are nobody. */
    private readonly named: readonly Session[],
  ) {}

  static of({ zoneIds, openids, sessionIds }: BroadcastRequest, registry: SessionRegistry) {
    const everyone = zoneIds.length + openids.length + sessionIds.length === 0;
    const named: Session[] = [];
    for (const openid of openids) keep(named, registry.findByOpenid(openid));
    for (const id of sessionIds) keep(named, registry.find(id));
    return new Audience(everyone, new Set(zoneIds), named);
  }

  /** How many zones and sessions it holds on to. */
  get namedCount(): number {
    return this.zones.size + this.named.length;
  }

  /** An upper bound of how many sessions it reaches, without looking for them. */
  mostRecipients(registry: SessionRegistry): number {
    return this.everyone || this.zones.size > 0 ? registry.size : this.named.length;
  }

  /** Whether the two are surely the same; what is named in another order counts as different. */
  equals(other: Audience): boolean {
    return (
      this.everyone === other.everyone &&
      sameItems([...this.zones], [...other.zones]) &&
      sameItems(this.named, other.named)
    );
  }

  /** Everyone that it reaches now: each openid once, by its present session. */
  recipients(registry: SessionRegistry): Session[] {
    if (this.everyone) return [...registry.all()];
    const chosen = new Set<Session>();
    if (this.zones.size > 0) {
      for (const session of registry.all()) {
        if (this.zones.has(session.zone)) chosen.add(session);
      }
    }
    for (const session of this.named) {
      const present = presentSession(session, registry);
      if (present !== undefined) chosen.add(present);
    }
    return [...chosen];
  }
}

/** A session as long as it lives, then the one that its openid has now, if any. */
export function presentSession(session: Session, registry: SessionRegistry): Session | undefined {
  return session.ended ? registry.findByOpenid(session.openid) : session;
}

function keep(sessions: Session[], session: Session | undefined): void {
  if (session !== undefined) sessions.push(session);
}

function sameItems<T>(left: readonly T[], right: readonly T[]): boolean {
  return left.length === right.length && left.every((item, index) => item === right[index]);
}
