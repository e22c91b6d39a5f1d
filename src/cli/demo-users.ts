interface DemoUser {
  readonly openid: string;
  readonly sessionId: string;
  /** ms since 1970. */
  readonly since: number;
  requests: number;
}

/** Users that a demo service remembers; beyond it the one that logged in first is forgotten. */
const MAX_USERS = 10_000;

/** Who is logged in at one demo service. */
export class DemoUsers {
  private readonly users = new Map<string, DemoUser>();

  get count(): number {
    return this.users.size;
  }

  /** Logs in. Returns whether the user was already. */
  enter(openid: string, sessionId: string): boolean {
    const known = this.users.delete(openid);
    if (this.users.size >= MAX_USERS) {
      const [oldest] = this.users.keys();
      this.users.delete(oldest as string);
    }
    this.users.set(openid, { openid, sessionId, since: Date.now(), requests: 1 });
    return known;
  }

  /** Counts a request of a user, if logged in. */
  saw(openid: string): void {
    const user = this.users.get(openid);
    if (user !== undefined) user.requests++;
  }

  get(openid: string): Readonly<DemoUser> | undefined {
    return this.users.get(openid);
  }

  /** The users who logged in first. */
  list(limit: number): { openid: string; session_id: string; since: string }[] {
    return [...this.users.values()].slice(0, limit).map(({ openid, sessionId, since }) => ({
      openid,
      session_id: sessionId,
      since: new Date(since).toISOString(),
    }));
  }

  leave(openid: string): Readonly<DemoUser> | undefined {
    const user = this.users.get(openid);
    this.users.delete(openid);
    return user;
  }
}
