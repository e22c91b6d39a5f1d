import { UNHINDERED } from '../base/turn-pace.js';
import type { TurnPace } from '../base/turn-pace.js';
import type { Timing } from '../telemetry/sampled-stage.js';

/** What takes part in turns: a connection. */
export interface TurnMember {
  /** Owned by the scheduler: whether the member is already in the next turn. */
  queued: boolean;
  /** First half: hand out what was received. */
  deliver(): void;
  /** Second half: send what was written. */
  flush(): void;
  /** One of the two threw; all others still get their turn. */
  fail(error: unknown): void;
}

/**
 * One turn per iteration of the event loop: every datagram that was read and every frame that was
 * written before it are dealt with together. All members deliver before any flushes, so that what
 * one connection's frame makes others send leaves in the same turn, in as few packets as possible.
 */
export class TurnScheduler {
  private members: TurnMember[] = [];
  private spare: TurnMember[] = [];
  private scheduled = false;
  private readonly run = (): void => this.turn();

  /**
   * @param timing how long the second halves of a turn take, for /performance.
   * @param beforeFlush runs before anything is sent; must not throw.
   */
  constructor(
    private readonly timing: Timing | null = null,
    private readonly beforeFlush: () => void = () => undefined,
    private readonly pace: TurnPace = UNHINDERED,
  ) {}

  /** Puts a member into the next turn; costs nothing when it is there already. */
  add(member: TurnMember): void {
    if (member.queued) return;
    member.queued = true;
    this.members.push(member);
    if (!this.scheduled) {
      this.scheduled = true;
      setImmediate(this.run);
    }
  }

  private turn(): void {
    if (!this.pace.mayRun()) return this.pace.wait(this.run);
    const members = this.members;
    // Members that are added while delivering still belong to this turn: the loop sees them.
    for (let index = 0; index < members.length; index++) {
      const member = members[index] as TurnMember;
      try {
        member.deliver();
      } catch (error) {
        member.fail(error);
      }
    }
    this.members = this.spare;
    this.scheduled = false;
    this.beforeFlush();
    if (!this.pace.mayRun()) return this.postpone(members);
    this.timing?.begin();
    for (const member of members) {
      member.queued = false;
      try {
        member.flush();
      } catch (error) {
        member.fail(error);
      }
    }
    this.timing?.end();
    members.length = 0;
    this.spare = members;
  }

  /** What was delivered stays so; everything is flushed once turns may run again. */
  private postpone(members: TurnMember[]): void {
    this.members = [...members, ...this.members];
    this.spare = [];
    if (this.scheduled) return;
    this.scheduled = true;
    this.pace.wait(this.run);
  }
}
