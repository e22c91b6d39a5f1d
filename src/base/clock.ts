/** Undoes what returned it; calling it twice is harmless. */
export type Cancel = () => void;

/** Timers that are so late, ms, are late because the process stood still: work, GC, SIGSTOP, a paused VM. */
export const STALL_MS = 50;

/**
 * The only source of time for the server. Tests inject a fake one, so nothing else may call
 * Date.now, performance.now or setTimeout where behaviour depends on it.
 */
export interface Clock {
  /** Monotonic milliseconds since an arbitrary start; unaffected by changes of the wall clock. */
  now(): number;
  /** Milliseconds since 1970, for what people and peers read. */
  wallTime(): number;
  /**
   * Calls `run` once after `delay` ms, a delay below 0 being 0. Does not keep the process alive. After a
   * stall it runs once the sockets were read: what came meanwhile may be what `run` would find missing.
   */
  after(delay: number, run: () => void): Cancel;
  /** Calls `run` every `period` ms until cancelled. Does not keep the process alive. */
  every(period: number, run: () => void): Cancel;
}

/** Resolves after `ms` by this clock, which may let the process end first. */
export function sleep(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.after(ms, resolve));
}

/** The clock of the machine. */
export class SystemClock implements Clock {
  now(): number {
    return performance.now();
  }

  wallTime(): number {
    return Date.now();
  }

  after(delay: number, run: () => void): Cancel {
    const due = this.now() + delay;
    let reading: NodeJS.Immediate | undefined;
    const timer = setTimeout(
      () => {
        if (this.now() - due < STALL_MS) return run();
        // In the first turn the sockets are read, at its end QUIC connections hand out what they got.
        reading = setImmediate(() => (reading = setImmediate(run)));
      },
      Math.max(0, delay),
    );
    timer.unref();
    return () => {
      clearTimeout(timer);
      clearImmediate(reading);
    };
  }

  every(period: number, run: () => void): Cancel {
    const timer = setInterval(run, period);
    timer.unref();
    return () => clearInterval(timer);
  }
}
