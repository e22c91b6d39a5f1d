import type { ThresholdWaiter, WaitFailure } from '../journal/threshold.js';
import type { LabelledTally } from '../telemetry/tally.js';
import type { PushResult } from '../wire/push-result.js';

/** A push that was taken and is told so once the journal is safe. */
export class SettlingPush implements ThresholdWaiter {
  constructor(
    private readonly result: PushResult,
    private readonly done: (result: PushResult) => void,
    private readonly outcomes: LabelledTally,
  ) {}

  onReached(): void {
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
  ) {}

  onReached(): void {
    this.done(this.sent, this.message);
  }

  onFailed({ pushError, reason }: WaitFailure): void {
    this.done(0, `${pushError}: ${reason}`);
  }
}
