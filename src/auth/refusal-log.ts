import type { Clock } from '../base/clock.js';
import type { Logger } from '../telemetry/log.js';

/** At most one line per reason in so long, ms: a flood of bad tokens must not become a flood of lines. */
export const REFUSAL_LOG_MS = 10_000;

/** Who was refused. The token is no part of it. */
export interface RefusedClient {
  readonly openid: string;
  readonly remoteAddress: string;
}

interface Pace {
  /** Monotonic ms from which on the next line may be written. */
  next: number;
  suppressed: number;
}

/** Tells operators precisely why STARTs were refused. Reasons must be few and known. */
export class RefusalLog {
  private readonly paces = new Map<string, Pace>();

  constructor(
    private readonly clock: Clock,
    private readonly log: Logger,
  ) {}

  note(reason: string, client: RefusedClient): void {
    const now = this.clock.now();
    let pace = this.paces.get(reason);
    if (pace === undefined) this.paces.set(reason, (pace = { next: 0, suppressed: 0 }));
    if (now < pace.next) {
      pace.suppressed++;
      return;
    }
    const { openid, remoteAddress: remote } = client;
    this.log.warn({ reason, openid, remote, suppressed: pace.suppressed }, 'token refused');
    pace.next = now + REFUSAL_LOG_MS;
    pace.suppressed = 0;
  }
}
