import type { Session } from './session.js';
import { highestUsed } from './number-jump.js';

/**
 * All sessions of the gateway, active and detached, and the number floor (docs/SESSIONS.md, "Downstream:
 * answers and pushes").
 */
export class SessionRegistry {
  private readonly byId = new Map<string, Session>();
  private readonly byOpenid = new Map<string, Session>();
  /** Detached sessions with nothing to lose, longest detached first. */
  private readonly expendable = new Set<Session>();
  private floorValue = 0;

  constructor(private readonly capacity: number) {}

  /** At or above every number ever sent to a session that is not known any more. */
  get floor(): number {
    return this.floorValue;
  }

  get size(): number {
    return this.byId.size;
  }

  get full(): boolean {
    return this.byId.size >= this.capacity;
  }

  find(sessionId: string): Session | undefined {
    return this.byId.get(sessionId);
  }

  findByOpenid(openid: string): Session | undefined {
    return this.byOpenid.get(openid);
  }

  /** In the order in which they began. */
  all(): IterableIterator<Session> {
    return this.byId.values();
  }

  /**
   * All sessions, those that may go first in the order in which they would: who restores them goes on
   * with it. Sessions may come and go before the reader goes on; those gone by then are not told.
   */
  *longestDetachedFirst(): IterableIterator<Session> {
    const told = new Set<Session>();
    for (const session of this.expendable) {
      // One whose client came and went meanwhile stands at the end once more.
      if (told.has(session)) continue;
      told.add(session);
      yield session;
    }
    for (const session of this.byId.values()) if (!told.has(session)) yield session;
  }

  add(session: Session): void {
    this.byId.set(session.id, session);
    this.byOpenid.set(session.openid, session);
  }

  /** Forgets an ended session. Its numbers raise the floor, unless they began at a client's claim. */
  remove(session: Session): void {
    this.byId.delete(session.id);
    this.expendable.delete(session);
    if (this.byOpenid.get(session.openid) === session) this.byOpenid.delete(session.openid);
    if (!session.beganAtClaim) this.raiseFloor(highestUsed(session));
  }

  /** Forgets all sessions; the floor stays. */
  clear(): void {
    this.byId.clear();
    this.byOpenid.clear();
    this.expendable.clear();
  }

  raiseFloor(seq: number): void {
    if (seq > this.floorValue) this.floorValue = seq;
  }

  /** A session lost its connection. */
  noteDetached(session: Session): void {
    this.expendable.delete(session);
    if (session.expendable) this.expendable.add(session);
  }

  /** The longest detached session with nothing to lose, or undefined. */
  oldestExpendable(): Session | undefined {
    for (const session of this.expendable) {
      // A push may have come for it, or its client, since it was noted.
      if (session.expendable) return session;
      this.expendable.delete(session);
    }
    return undefined;
  }
}
