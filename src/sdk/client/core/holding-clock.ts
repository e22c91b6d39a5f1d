import type { Cancel, Clock } from '../../../base/clock.js';

/** Timers of the platform fire at once above this. */
const LONGEST_MS = 2 ** 31 - 1;

/**
 * The clock of a client: unlike the server's, its timers keep the process alive, or a program that
 * waits for an answer during a reconnect would end silently.
 */
export class HoldingClock implements Clock {
  now(): number {
    return performance.now();
  }

  wallTime(): number {
    return Date.now();
  }

  after(delay: number, run: () => void): Cancel {
    const timer = setTimeout(run, Math.min(Math.max(0, delay), LONGEST_MS));
    return () => clearTimeout(timer);
  }

  every(period: number, run: () => void): Cancel {
    const timer = setInterval(run, Math.min(period, LONGEST_MS));
    return () => clearInterval(timer);
  }
}
