import type { Clock } from '../base/clock.js';
import { LinePace } from '../telemetry/line-pace.js';
import type { Logger } from '../telemetry/log.js';
import type { Tally } from '../telemetry/tally.js';

/** All are paced as one: what a lost route makes of each datagram differs. */
const REASON = 'not sent';

/** Counts and logs what could not be sent: no peer and nobody else would hear of it. */
export class SendErrors {
  private readonly pace: LinePace;

  constructor(
    private readonly dropped: Tally,
    clock: Clock,
    private readonly log: Logger,
  ) {
    this.pace = new LinePace(clock);
  }

  note(error: unknown, what: string): void {
    this.dropped.add();
    const suppressed = this.pace.take(REASON);
    if (suppressed === null) return;
    this.log.warn({ err: error, count: suppressed + 1 }, what);
  }
}
