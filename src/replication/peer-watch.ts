import type { Clock } from '../base/clock.js';
import type { RoleOptions } from './role-options.js';
import type { Word } from './standing.js';

/** A tick that comes after so many periods came late: this process, or the machine, was paused. */
const LATE_TICKS = 4;

/** Which process of the peer was heard last, up to which word, and when. */
export class PeerWatch {
  private bootId = 0;
  private sequence = 0;
  private heardAt: number;
  private tickedAt: number;

  constructor(
    private readonly options: Pick<RoleOptions, 'timeout' | 'tickPeriod'>,
    private readonly clock: Clock,
  ) {
    this.heardAt = this.tickedAt = clock.now();
  }

  /** Highest boot id seen, 0 before the first. */
  get boot(): number {
    return this.bootId;
  }

  /** It was not heard for `backup.heartbeat.timeout`. */
  get isSilent(): boolean {
    return this.clock.now() - this.heardAt >= this.options.timeout;
  }

  /** Whether a heartbeat is newer than all that were taken: those of an older process never are. */
  isNews({ boot, sequence }: Word): boolean {
    return boot > this.bootId || (boot === this.bootId && sequence > this.sequence);
  }

  /** A heartbeat was taken; `isNews` was asked before. */
  took({ sequence }: Word): void {
    this.sequence = sequence;
  }

  /** A word of this process has come. @returns whether the peer was known, as another process. */
  met(boot: number): boolean {
    if (boot <= this.bootId) return false;
    const returned = this.bootId !== 0;
    this.bootId = boot;
    this.sequence = 0;
    return returned;
  }

  /** Another gateway has taken the place of the peer: its boot ids count anew. */
  replaced(): void {
    this.bootId = this.sequence = 0;
  }

  heard(): void {
    this.heardAt = this.clock.now();
  }

  /** After a pause what waits in the sockets is heard before anybody is taken for dead. */
  tick(): void {
    const now = this.clock.now();
    if (now - this.tickedAt > LATE_TICKS * this.options.tickPeriod) this.heardAt = now;
    this.tickedAt = now;
  }
}
