import type { Clock } from '../base/clock.js';
import type { Logger } from '../telemetry/log.js';
import type { Tally } from '../telemetry/tally.js';

/** One line in so many ms says how many there were: a lost route fails every datagram. */
const LOG_PERIOD_MS = 10_000;

/** Counts and logs what could not be sent: no peer and nobody else would hear of it. */
export class SendErrors {
  private loggedAt = Number.NEGATIVE_INFINITY;
  private sinceLogged = 0;

  constructor(
    private readonly dropped: Tally,
    private readonly clock: Clock,
    private readonly log: Logger,
  ) {}

  note(error: unknown, what: string): void {
    this.dropped.add();
    this.sinceLogged++;
    const now = this.clock.now();
    if (now - this.loggedAt < LOG_PERIOD_MS) return;
    this.log.warn({ err: error, count: this.sinceLogged }, what);
    this.loggedAt = now;
    this.sinceLogged = 0;
  }
}
