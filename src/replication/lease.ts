/** Share of the timeout for which an answered heartbeat lets a primary serve: less than 1, so that it has
 * lapsed before the standby, whose timeout began later, may promote. */
const LEASE_SHARE = 0.7;
/** Heartbeats whose answers are awaited; older ones would renew nothing. */
const MAX_AWAITED = 64;

/**
 * The lease of a primary that is not solo: it runs from the sending of the last heartbeat that a backup
 * of its epoch answered, and ends before that backup, by its own timeout, may promote. Times are monotonic ms.
 */
export class Lease {
  private until = Number.NEGATIVE_INFINITY;
  private readonly sentAt = new Map<number, number>();
  private span: number;

  /** @param timeout backup.heartbeat.timeout, ms. */
  constructor(private readonly timeout: number) {
    this.span = LEASE_SHARE * timeout;
  }

  /**
   * The peer takes this node for dead after so many ms, which need not be what is configured here: it may be
   * told from now on that it is in sync, and promotes no earlier than so long after that. 0: as configured here.
   */
  limit(peerTimeout: number, now: number): void {
    this.span = LEASE_SHARE * Math.min(this.timeout, peerTimeout || this.timeout);
    this.until = Math.min(this.until, now + this.span);
  }

  /** A heartbeat leaves. */
  sent(sequence: number, now: number): void {
    this.sentAt.set(sequence, now);
    if (this.sentAt.size <= MAX_AWAITED) return;
    for (const oldest of this.sentAt.keys()) {
      this.sentAt.delete(oldest);
      return;
    }
  }

  /** Whether the heartbeat left in the present role, and was not answered yet. */
  awaits(sequence: number): boolean {
    return this.sentAt.has(sequence);
  }

  /** An answer has come. @param renews it is one that lets this node serve on. */
  answered(sequence: number, renews: boolean): void {
    const sentAt = this.sentAt.get(sequence);
    this.sentAt.delete(sequence);
    if (sentAt === undefined || !renews) return;
    this.until = Math.max(this.until, sentAt + this.span);
  }

  isValid(now: number): boolean {
    return now < this.until;
  }

  /** A new role: what was asked in another one is void. */
  reset(): void {
    this.until = Number.NEGATIVE_INFINITY;
    this.sentAt.clear();
  }
}
