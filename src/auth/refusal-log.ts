import type { Clock } from '../base/clock.js';
import { LinePace } from '../telemetry/line-pace.js';
import type { Logger } from '../telemetry/log.js';

/** Who was refused. The token is no part of it. */
export interface RefusedClient {
  readonly openid: string;
  readonly remoteAddress: string;
}

/** Tells operators precisely why STARTs were refused. Reasons must be few and known. */
export class RefusalLog {
  private readonly pace: LinePace;

  constructor(
    clock: Clock,
    private readonly log: Logger,
  ) {
    this.pace = new LinePace(clock);
  }

  note(reason: string, { openid, remoteAddress: remote }: RefusedClient): void {
    const suppressed = this.pace.take(reason);
    if (suppressed === null) return;
    this.log.warn({ reason, openid, remote, suppressed }, 'token refused');
  }
}
