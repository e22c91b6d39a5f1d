import type { TimerWheel, WheelTimer } from '../base/timer-wheel.js';
import type { Clock } from '../base/clock.js';
import type { ReadPause } from './read-pause.js';

/** What a connection does when its client's proof of identity is missing or old. */
export interface ProofOwner {
  /** No START was accepted within auth_timeout. */
  onStartOverdue(): void;
  /** The token ran out; the grace time begins. */
  onTokenExpired(): void;
  /** The grace time is over and no START brought a new token. */
  onGraceOver(): void;
}

/** How late the end of a token may be noticed where the wall clock was set, or the machine suspended, meanwhile, ms. */
const LOOK_MS = 60_000;

/**
 * How long a START may take that waited while the connection was not read, from when it is read again, ms: a round trip
 * or two over a bad path.
 */
export const LAST_CHANCE_MS = 5_000;

export interface ProofTimes {
  /** session.auth_timeout, ms. */
  readonly authTimeout: number;
  /** auth.grace, ms. */
  readonly authGrace: number;
}

/**
 * Until when the client of one connection has proved who it is: first by START within auth_timeout,
 * then by a token that has not run out, or by a new one within the grace time (docs/SESSIONS.md, "Tokens"). Where that ends
 * while the connection is not read, a new one may be waiting: the end comes once it was read again. What is read then counts
 * against the client however often reading pauses, or requests that are never answered would replace a token.
 */
export class ProofDeadline {
  /** Of the token, ms since 1970; null: it does not run out. */
  private expiresAt: number | null = null;
  private state: 'unproven' | 'proven' | 'grace' | 'unheard' | 'last_chance' = 'unproven';
  private readonly timer: WheelTimer;

  constructor(
    private readonly clock: Clock,
    wheel: TimerWheel,
    private readonly times: ProofTimes,
    private readonly owner: ProofOwner,
    private readonly reading: ReadPause,
  ) {
    reading.onResume = () => this.onResume();
    this.timer = wheel.timer(() => this.onTimer());
    this.timer.arm(times.authTimeout);
  }

  /** A START was accepted. @param expiresAt until when its proof holds, ms since 1970; null: for ever. */
  proved(expiresAt: number | null): void {
    this.state = 'proven';
    this.expiresAt = expiresAt;
    this.timer.disarm();
    if (expiresAt !== null) this.timer.arm(Math.min(this.left(expiresAt), LOOK_MS));
  }

  /** The connection ends; nothing is called any more. */
  cancel(): void {
    this.timer.disarm();
  }

  private onTimer(): void {
    if (this.state === 'unproven') return this.owner.onStartOverdue();
    if (this.state === 'grace' && this.reading.paused) return void (this.state = 'unheard');
    if (this.state !== 'proven') return this.owner.onGraceOver();
    const left = this.expiresAt === null ? 0 : this.left(this.expiresAt);
    if (left > 0) return this.timer.arm(Math.min(left, LOOK_MS));
    this.state = 'grace';
    this.timer.arm(this.times.authGrace);
    this.owner.onTokenExpired();
  }

  private onResume(): void {
    if (this.state !== 'unheard') return;
    this.state = 'last_chance';
    this.timer.arm(LAST_CHANCE_MS);
  }

  private left(expiresAt: number): number {
    return expiresAt - this.clock.wallTime();
  }
}
