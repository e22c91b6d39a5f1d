import type { Logger } from '../../telemetry/log.js';

/** A warning is over below this share of its threshold, so that a load at the threshold does not flicker. */
const CLEAR_SHARE = 0.9;

/** One line when a load reaches its threshold, one when it has clearly fallen below. */
export class LoadWarning {
  private raised = false;

  /**
   * @param load what is measured: `connections`, `requests per second`.
   * @param threshold 0 or Infinity: never.
   */
  constructor(
    private readonly load: string,
    private readonly threshold: number,
    private readonly log: Logger,
  ) {}

  /** The warning as a line for operators; null while there is none. */
  get line(): string | null {
    return this.raised ? `${this.load}: at or above the warning threshold ${this.threshold}` : null;
  }

  observe(value: number): void {
    if (this.raised) {
      if (value < this.threshold * CLEAR_SHARE) this.turn(value, false);
    } else if (this.threshold > 0 && value >= this.threshold) {
      this.turn(value, true);
    }
  }

  private turn(value: number, raised: boolean): void {
    this.raised = raised;
    const fields = { load: this.load, value: Math.round(value), threshold: this.threshold };
    if (raised) this.log.warn(fields, 'load reached its warning threshold');
    else this.log.info(fields, 'load fell below its warning threshold');
  }
}
