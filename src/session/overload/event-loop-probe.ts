import type { Cancel, Clock } from '../../base/clock.js';
import type { Logger } from '../../telemetry/log.js';

/** Time between two samples, ms: a few per second see load, and cost nothing. */
export const PROBE_PERIOD_MS = 250;

/** So many samples in a row decide: one alone may be a garbage collection or a machine that slept. */
const SAMPLES_IN_A_ROW = 2;

/**
 * Measures how late timers run, which is how long every event waits behind others, and says when that
 * has become too long to take on more.
 */
export class EventLoopProbe {
  private last = 0;
  private latest = 0;
  private streak = 0;
  private isLate = false;
  private cancel: Cancel | null = null;
  private onTurn: (overloaded: boolean) => void = () => undefined;

  /** @param limit delay in ms above which the event loop is overloaded; 0: never. */
  constructor(
    private readonly limit: number,
    private readonly clock: Clock,
    private readonly log: Logger,
  ) {}

  /** The newest sample, ms. */
  get delay(): number {
    return this.latest;
  }

  get overloaded(): boolean {
    return this.isLate;
  }

  /** @param onTurn called whenever `overloaded` changes. */
  start(onTurn: (overloaded: boolean) => void): void {
    this.onTurn = onTurn;
    this.last = this.clock.now();
    this.cancel ??= this.clock.every(PROBE_PERIOD_MS, () => this.sample());
  }

  stop(): void {
    this.cancel?.();
    this.cancel = null;
  }

  private sample(): void {
    const now = this.clock.now();
    this.latest = Math.max(0, now - this.last - PROBE_PERIOD_MS);
    this.last = now;
    const late = this.limit > 0 && this.latest > this.limit;
    this.streak = late === this.isLate ? 0 : this.streak + 1;
    if (this.streak === SAMPLES_IN_A_ROW) this.turn(late);
  }

  private turn(late: boolean): void {
    this.isLate = late;
    this.streak = 0;
    const fields = { delay_ms: Math.round(this.latest), max_ms: this.limit };
    if (late) this.log.warn(fields, 'event loop overloaded: new connections are refused');
    else this.log.info(fields, 'event loop recovered: new connections are accepted');
    this.onTurn(late);
  }
}
