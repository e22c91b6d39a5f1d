import type { ThresholdWaiter, WaitFailure } from '../journal/threshold.js';
import type { LabelledTally } from '../telemetry/tally.js';
import type { PushResult } from '../wire/push-result.js';
import type { ServingGate } from './serving-gate.js';

/** Nothing may be promised any more: the peer may serve already, and knows of it or not. */
const SILENCED: WaitFailure = {
  pushError: 'REPLICATION_LAG',
  reason: 'this gateway may not serve at the moment',
};

/** A push that was taken and is told so once the journal is safe. */
export class SettlingPush implements ThresholdWaiter {
  constructor(
    private readonly result: PushResult,
    private readonly done: (result: PushResult) => void,
    private readonly outcomes: LabelledTally,
    private readonly serving: ServingGate,
  ) {}

  onReached(): void {
    if (!this.serving.serves) return this.onFailed(SILENCED);
    this.outcomes.add('accepted');
    this.done(this.result);
  }

  /** It may arrive all the same: only its safety was not confirmed. */
  onFailed({ pushError, reason }: WaitFailure): void {
    this.outcomes.add(pushError);
    this.done({ success: false, message: reason, errorCode: pushError });
  }
}

/** As SettlingPush, for a broadcast: its answer has no error code. */
export class SettlingBroadcast implements ThresholdWaiter {
  constructor(
    private readonly sent: number,
    private readonly message: string,
    private readonly done: (sentCount: number, message: string) => void,
    private readonly serving: ServingGate,
  ) {}

  onReached(): void {
    if (!this.serving.serves) return this.onFailed(SILENCED);
    this.done(this.sent, this.message);
  }

  onFailed({ pushError, reason }: WaitFailure): void {
    this.done(0, `${pushError}: ${reason}`);
  }
}
