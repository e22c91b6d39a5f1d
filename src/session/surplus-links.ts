import type { Cancel, Clock } from '../base/clock.js';
import type { LabelledTally } from '../telemetry/tally.js';
import type { ConnectionRefusal } from './overload/overload.js';
import type { SessionChannel } from './session-channel.js';

/** How long START may take, ms: clients send it with the first bytes of their Link. */
const START_WAIT_MS = 2_000;

interface Surplus {
  readonly refusal: ConnectionRefusal;
  readonly cancel: Cancel;
}

/**
 * The Links beyond max_connections, or beyond what their address may have. Where a network has vanished without a word
 * its clients come back while their former connections still count, and would be refused until those have timed out.
 * So some more are heard: a Link whose START takes a session over from another Link stays in place of that one, the
 * others are refused.
 */
export class SurplusLinks {
  private readonly waiting = new Map<SessionChannel, Surplus>();

  /**
   * @param accepted counts Links by transport once they may stay.
   * @param rejected counts the others.
   */
  constructor(
    private readonly clock: Clock,
    private readonly accepted: LabelledTally,
    private readonly rejected: LabelledTally,
  ) {}

  /** @param refusal what it is told unless it finds a place. */
  add(channel: SessionChannel, refusal: ConnectionRefusal): void {
    const { code, reason } = refusal;
    const cancel = this.clock.after(START_WAIT_MS, () => channel.drop(code, reason));
    this.waiting.set(channel, { refusal, cancel });
  }

  has(channel: SessionChannel): boolean {
    return this.waiting.has(channel);
  }

  /** It has a place and counts as any other from here on. */
  keep(channel: SessionChannel): void {
    if (this.remove(channel) !== null) this.accepted.add(channel.transport);
  }

  /** It is closed. @returns whether it was one that had no place. */
  closed(channel: SessionChannel): boolean {
    const refusal = this.remove(channel);
    if (refusal !== null) this.rejected.add(refusal.label);
    return refusal !== null;
  }

  private remove(channel: SessionChannel): ConnectionRefusal | null {
    const surplus = this.waiting.get(channel);
    if (surplus === undefined) return null;
    surplus.cancel();
    this.waiting.delete(channel);
    return surplus.refusal;
  }
}
