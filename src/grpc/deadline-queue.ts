import type { Cancel, Clock } from '../base/clock.js';

/** What a DeadlineQueue holds: a link of its list. */
export abstract class Deadlined {
  earlier: Deadlined | null = null;
  later: Deadlined | null = null;
  /** Whether it is in a queue. */
  queued = false;

  /** @param deadline clock time, ms. */
  constructor(readonly deadline: number) {}

  abstract expire(): void;
}

/** setTimeout fires at once above this; 24 days are no deadline. */
const MAX_TIMER_MS = 2_147_483_647;

/**
 * Calls in the order of their deadlines, and one timer for the first of them: a timer per call would
 * cost more than the rest of its bookkeeping. Calls mostly come with the same time left, so that
 * each is appended at the end; the timer of a call that was answered in time fires once for nothing.
 */
export class DeadlineQueue {
  private first: Deadlined | null = null;
  private last: Deadlined | null = null;
  private cancelTimer: Cancel | null = null;
  private timerAt = Infinity;

  constructor(private readonly clock: Clock) {}

  add(item: Deadlined): void {
    let before = this.last;
    while (before !== null && before.deadline > item.deadline) before = before.earlier;
    item.queued = true;
    item.earlier = before;
    item.later = before === null ? this.first : before.later;
    if (item.later === null) this.last = item;
    else item.later.earlier = item;
    if (before === null) this.first = item;
    else before.later = item;
    if (item.deadline < this.timerAt) this.arm(item.deadline);
  }

  remove(item: Deadlined): void {
    if (!item.queued) return;
    item.queued = false;
    if (item.earlier === null) this.first = item.later;
    else item.earlier.later = item.later;
    if (item.later === null) this.last = item.earlier;
    else item.later.earlier = item.earlier;
    item.earlier = item.later = null;
  }

  /** It is empty, and nothing is added any more: its timer may be days away. */
  close(): void {
    this.cancelTimer?.();
    this.cancelTimer = null;
  }

  private arm(at: number): void {
    this.cancelTimer?.();
    this.timerAt = at;
    const delay = Math.min(MAX_TIMER_MS, Math.max(1, Math.ceil(at - this.clock.now())));
    this.cancelTimer = this.clock.after(delay, () => this.fire());
  }

  private fire(): void {
    this.cancelTimer = null;
    this.timerAt = Infinity;
    const now = this.clock.now();
    while (this.first !== null && this.first.deadline <= now) {
      const item = this.first;
      this.remove(item);
      item.expire();
    }
    if (this.first !== null && this.first.deadline < this.timerAt) this.arm(this.first.deadline);
  }
}
