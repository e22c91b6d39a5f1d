import type { Cancel, Clock } from '../../src/base/clock.js';

interface Timer {
  due: number;
  /** Orders timers of the same instant by when they were set. */
  readonly order: number;
  readonly period: number;
  readonly run: () => void;
}

/**
 * A Clock that stands still until the test moves it. Timers run inside `advance`, in the order of
 * their deadlines (set first, run first at the same instant), also those that a timer sets while
 * the same `advance` is under way.
 */
export class FakeClock implements Clock {
  private current: number;
  private wallOffset: number;
  private nextOrder = 0;
  private readonly timers = new Set<Timer>();

  /**
   * @param start what `now` says at first, ms.
   * @param wall what `wallTime` says at first, ms since 1970.
   */
  constructor(start = 1_000, wall = Date.UTC(2026, 0, 1)) {
    this.current = start;
    this.wallOffset = wall - start;
  }

  /** Timers that would still run. */
  get pending(): number {
    return this.timers.size;
  }

  now(): number {
    return this.current;
  }

  wallTime(): number {
    return this.wallOffset + this.current;
  }

  /** The wall clock is set, `ms` ahead or (below 0) back. */
  stepWall(ms: number): void {
    this.wallOffset += ms;
  }

  after(delay: number, run: () => void): Cancel {
    return this.add(delay, 0, run);
  }

  every(period: number, run: () => void): Cancel {
    if (!(period > 0)) throw new RangeError(`period ${period} ms; it must be above 0`);
    return this.add(period, period, run);
  }

  /** Moves time on by `ms`, running what falls due on the way at its own instant. */
  advance(ms: number): void {
    const target = this.current + ms;
    for (let timer = this.earliest(target); timer !== null; timer = this.earliest(target)) {
      this.current = Math.max(this.current, timer.due);
      if (timer.period > 0) timer.due += timer.period;
      else this.timers.delete(timer);
      timer.run();
    }
    this.current = target;
  }

  /** The process stands still for `ms`: nothing runs meanwhile, and what fell due runs late at its end. */
  stall(ms: number): void {
    this.current += ms;
    for (const timer of this.timers) {
      if (timer.due > this.current) continue;
      const missed = timer.period > 0 ? Math.floor((this.current - timer.due) / timer.period) : 0;
      timer.due += missed * timer.period;
    }
    this.advance(0);
  }

  /** As `advance`, in steps of `step` ms, letting promises and I/O callbacks run after each. */
  async advanceAsync(ms: number, step = ms): Promise<void> {
    for (let left = ms; left > 0; left -= step) {
      this.advance(Math.min(step, left));
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }

  private add(delay: number, period: number, run: () => void): Cancel {
    const due = this.current + Math.max(0, delay);
    const timer: Timer = { due, order: this.nextOrder++, period, run };
    this.timers.add(timer);
    return () => void this.timers.delete(timer);
  }

  private earliest(target: number): Timer | null {
    let found: Timer | null = null;
    for (const timer of this.timers) {
      if (timer.due > target) continue;
      if (found === null || timer.due < found.due) found = timer;
      else if (timer.due === found.due && timer.order < found.order) found = timer;
    }
    return found;
  }
}
