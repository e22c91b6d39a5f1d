import type { Clock } from '../base/clock.js';

/**
 * The time that times to live in the journal count from: milliseconds since 1970 by the wall clock of when it
 * began, and by the monotonic clock from there on. A wall clock that is set would take their time from pushes and
 * idempotency keys, or give them years.
 */
export class JournalTime {
  private readonly offset: number;

  constructor(private readonly clock: Clock) {
    this.offset = clock.wallTime() - clock.now();
  }

  /** Whole ms, never less than before. */
  now(): number {
    return Math.floor(this.offset + this.clock.now());
  }
}
