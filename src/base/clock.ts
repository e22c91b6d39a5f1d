/** Undoes what returned it; calling it twice is harmless. */
export type Cancel = () => void;

/**
 * The only source of time for the server. Tests inject a fake one, so nothing else may call
 * Date.now, performance.now or setTimeout where behaviour depends on it.
 */
export interface Clock {
  /** Monotonic milliseconds since an arbitrary start; unaffected by changes of the wall clock. */
  now(): number;
  /** Milliseconds since 1970, for what people and peers read. */
  wallTime(): number;
  /** Calls `run` once after `delay` ms. Does not keep the process alive. */
  after(delay: number, run: () => void): Cancel;
  /** Calls `run` every `period` ms until cancelled. Does not keep the process alive. */
  every(period: number, run: () => void): Cancel;
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
    const timer = setTimeout(run, delay);
    timer.unref();
    return () => clearTimeout(timer);
  }

  every(period: number, run: () => void): Cancel {
    const timer = setInterval(run, period);
    timer.unref();
    return () => clearInterval(timer);
  }
}
