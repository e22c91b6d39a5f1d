import type { Cancel, Clock } from '../../../base/clock.js';

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
    const timer = setTimeout(run, delay);
    return () => clearTimeout(timer);
  }

  every(period: number, run: () => void): Cancel {
    const timer = setInterval(run, period);
    return () => clearInterval(timer);
  }
}
