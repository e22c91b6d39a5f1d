import type { Clock } from '../base/clock.js';

/** Bounds how many answers of a kind leave within a second, to whomever: strangers ask for them. */
export class AnswerRate {
  private second = -1;
  private sentInSecond = 0;

  constructor(
    private readonly perSecond: number,
    private readonly clock: Clock,
  ) {}

  /** Whether one more may leave now; it counts as sent. */
  take(): boolean {
    const second = Math.floor(this.clock.now() / 1000);
    if (second !== this.second) {
      this.second = second;
      this.sentInSecond = 0;
    }
    return this.sentInSecond++ < this.perSecond;
  }
}
