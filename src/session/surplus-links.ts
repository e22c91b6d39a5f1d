import type { Cancel, Clock } from '../base/clock.js';
import type { LabelledTally } from '../telemetry/tally.js';
import { AT_CAPACITY } from './link-refusals.js';
import type { SessionChannel } from './session-channel.js';

/** How long START may take, ms: clients send it with the first bytes of their Link. */
const START_WAIT_MS = 2_000;

/**
 * The Links beyond max_connections. Where a network has vanished without a word its clients come back while their
 * former connections still count, and would be refused until those have timed out. So some more are heard: a Link
 * whose START takes a session over from another Link stays in place of that one, the others get 503.
 */
export class SurplusLinks {
  private readonly waiting = new Map<SessionChannel, Cancel>();

  /**
   * @param accepted counts Links by transport once they may stay.
   * @param rejected counts the others.
   */
  constructor(
    private readonly clock: Clock,
    private readonly accepted: LabelledTally,
    private readonly rejected: LabelledTally,
  ) {}

  add(channel: SessionChannel): void {
    const { code, reason } = AT_CAPACITY;
    const cancel = this.clock.after(START_WAIT_MS, () => channel.drop(code, reason));
    this.waiting.set(channel, cancel);
  }

  has(channel: SessionChannel): boolean {
    return this.waiting.has(channel);
  }

  /** It has a place and counts as any other from here on. */
  keep(channel: SessionChannel): void {
    if (this.remove(channel)) this.accepted.add(channel.transport);
  }

  /** It is closed. @returns whether it was one that had no place. */
  closed(channel: SessionChannel): boolean {
    const waited = this.remove(channel);
    if (waited) this.rejected.add(AT_CAPACITY.label);
    return waited;
  }

  private remove(channel: SessionChannel): boolean {
    this.waiting.get(channel)?.();
    return this.waiting.delete(channel);
  }
}
