import type { Clock } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import type { Logger } from '../telemetry/log.js';

/** The same failure is told of again after this, ms: every tick and heartbeat tries anew. */
const AGAIN_MS = 60_000;

/** Tells operators that a change of role failed, which a disk that cannot be written makes it do again and again. */
export class RoleFailures {
  private reason = '';
  private toldAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly clock: Clock,
    private readonly log: Logger,
  ) {}

  tell(error: unknown): void {
    const reason = messageOf(error);
    const now = this.clock.now();
    if (reason === this.reason && now - this.toldAt < AGAIN_MS) return;
    this.reason = reason;
    this.toldAt = now;
    this.log.error({ reason }, 'the role cannot change');
  }
}
