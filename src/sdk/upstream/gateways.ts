import type { Clock } from '../../base/clock.js';
import type { BroadcastRequest, UnicastPushRequest } from '../../wire/messages.js';
import { PushError } from './errors.js';
import { CallError, GatewayCaller } from './gateway-caller.js';
import type { GatewayAccess } from './gateway-caller.js';

type PushFields = Parameters<typeof UnicastPushRequest.encode>[0];
type BroadcastFields = Parameters<typeof BroadcastRequest.encode>[0];

/** Refusals that only mean "not here": another gateway may hold the session. */
const ELSEWHERE: ReadonlySet<string> = new Set([
  'SESSION_NOT_FOUND',
  'OPENID_OFFLINE',
  'NOT_PRIMARY',
  'SHUTTING_DOWN',
]);

/** The gateways that an upstream serves, as one receiver of its pushes. */
export class Gateways {
  readonly callers: readonly GatewayCaller[];
  /** Which is asked first: the one that took the last push, and not one that hung. */
  private first = 0;

  constructor(
    addresses: readonly string[],
    timeoutMs: number,
    access: GatewayAccess = {},
    clock?: Clock,
  ) {
    this.callers = addresses.map((address) => new GatewayCaller(address, timeoutMs, access, clock));
  }

  /**
   * Pushes through the first gateway that takes it.
   * @throws {PushError} with the most telling reason of all gateways.
   */
  async push(fields: PushFields): Promise<void> {
    let refusal: PushError | null = null;
    const { callers, first } = this;
    for (let tried = 0; tried < callers.length; tried++) {
      const index = (first + tried) % callers.length;
      const error = await this.pushTo(callers[index] as GatewayCaller, fields);
      if (error === null) {
        this.first = index;
        return;
      }
      if (error.code === 'OUTCOME_UNKNOWN') this.first = (index + 1) % callers.length;
      // A refusal by a gateway that knows the target is final; so is a push that may have arrived.
      const goesOn = ELSEWHERE.has(error.code) || error.code === 'GATEWAY_UNREACHABLE';
      if (!goesOn) throw error;
      if (refusal === null || refusal.code === 'GATEWAY_UNREACHABLE') refusal = error;
    }
    throw refusal ?? new PushError('GATEWAY_UNREACHABLE', 'this upstream has no gateway');
  }

  /**
   * Broadcasts through every gateway.
   * @returns to how many sessions.
   * @throws {PushError} where no gateway took it.
   */
  async broadcast(fields: BroadcastFields): Promise<number> {
    const results = await Promise.allSettled(this.callers.map((each) => each.broadcast(fields)));
    const taken = results.filter((result) => result.status === 'fulfilled');
    if (taken.length === 0) {
      const failed = results.find((result) => result.status === 'rejected');
      throw pushErrorOf(failed?.reason);
    }
    return taken.reduce((sum, { value }) => sum + value.sentCount, 0);
  }

  close(): void {
    for (const caller of this.callers) caller.close();
  }

  private async pushTo(gateway: GatewayCaller, fields: PushFields): Promise<PushError | null> {
    try {
      const { success, message, errorCode } = await gateway.push(fields);
      return success ? null : new PushError(errorCode || 'PUSH_FAILED', `push refused: ${message}`);
    } catch (error) {
      return pushErrorOf(error);
    }
  }
}

/** What a failed call means for what it was to do. */
export function pushErrorOf(cause: unknown): PushError {
  const neverSent = cause instanceof CallError && cause.failure.neverSent;
  const code = neverSent ? 'GATEWAY_UNREACHABLE' : 'OUTCOME_UNKNOWN';
  const reason = cause instanceof Error ? cause.message : 'no gateway';
  return new PushError(code, `push failed: ${reason}`, { cause });
}
