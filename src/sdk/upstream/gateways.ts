import { parseAddress } from '../../base/address.js';
import type { Clock } from '../../base/clock.js';
import type { BroadcastRequest } from '../../wire/messages.js';
import { PushError } from './errors.js';
import { CallError, GatewayCaller } from './gateway-caller.js';
import type { GatewayAccess } from './gateway-caller.js';
import type { PushFields } from './push-content.js';

type BroadcastFields = Parameters<typeof BroadcastRequest.encode>[0];

/** Refusals that only mean "not here": another gateway may hold the session. */
const ELSEWHERE: ReadonlySet<string> = new Set([
  'SESSION_NOT_FOUND',
  'OPENID_OFFLINE',
  'NOT_PRIMARY',
  'SHUTTING_DOWN',
  'GATEWAY_UNREACHABLE',
]);

/** What came of offering a push to gateways that all said "not here", or of which one took it. */
interface Offered {
  readonly taken: boolean;
  /** The most telling of the refusals. */
  readonly refusal: PushError | null;
  /** Which know no session of the openid; one of them may keep the push for it. */
  readonly withoutSession: readonly number[];
}

/** The gateways that an upstream serves, as one receiver of its pushes. */
export class Gateways {
  readonly callers: readonly GatewayCaller[];
  /** Which is asked first: the one that took the last push, and not one that hung. */
  private first = 0;

  /** @throws {RangeError} that names the address which cannot be one: it would be tried for ever. */
  constructor(
    addresses: readonly string[],
    timeoutMs: number,
    access: GatewayAccess = {},
    clock?: Clock,
  ) {
    for (const address of addresses) checkAddress(address);
    this.callers = addresses.map((address) => new GatewayCaller(address, timeoutMs, access, clock));
  }

  /**
   * Pushes through the gateway that has the client. Where none has, and one may keep the push for
   * later, through the first that does.
   * @throws {PushError} with the most telling reason of all gateways.
   */
  async push(fields: PushFields): Promise<void> {
    const { callers, first } = this;
    const all = callers.map((_, at) => (first + at) % callers.length);
    const searching = mustSearch(callers, fields);
    const found = await this.offer(all, searching ? { ...fields, sessionOnly: true } : fields);
    if (found.taken) return;
    if (searching && (await this.offer(found.withoutSession, fields)).taken) return;
    throw found.refusal ?? new PushError('GATEWAY_UNREACHABLE', 'this upstream has no gateway');
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

  /** Asks one gateway after another. @throws {PushError} where one refuses for all, or may have taken it. */
  private async offer(indices: readonly number[], fields: PushFields): Promise<Offered> {
    const { callers } = this;
    const withoutSession: number[] = [];
    let refusal: PushError | null = null;
    for (const index of indices) {
      const error = await this.pushTo(callers[index] as GatewayCaller, fields);
      if (error === null) {
        this.first = index;
        return { taken: true, refusal: null, withoutSession };
      }
      if (error.code === 'OUTCOME_UNKNOWN') this.first = (index + 1) % callers.length;
      // A refusal by a gateway that knows the target is final; so is a push that may have arrived.
      if (!isElsewhere(error.code)) throw error;
      if (error.code === 'OPENID_OFFLINE') withoutSession.push(index);
      if (refusal === null || refusal.code === 'GATEWAY_UNREACHABLE') refusal = error;
    }
    return { taken: false, refusal, withoutSession };
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

function checkAddress(address: string): void {
  const { host = '', port = 0 } = parseAddress(address) ?? {};
  if (host !== '' && port !== 0) return;
  throw new RangeError(`gateways: ${address} is no address; give host:port, such as gate-1:8092`);
}

/** Whether a refusal leaves it open that another gateway has the client. */
export function isElsewhere(code: string): boolean {
  return ELSEWHERE.has(code);
}

/**
 * Whether all gateways must be asked for the client before one may keep a push for it: else the first
 * would, while the client is at the second. Of two, one of which is a backup, the other has all clients.
 */
export function mustSearch(callers: readonly GatewayCaller[], fields: PushFields): boolean {
  if (callers.length < 2 || fields.targetType !== 'openid' || fields.bestEffort === true) {
    return false;
  }
  return callers.length > 2 || callers.filter((caller) => !caller.isBackup).length !== 1;
}

/** What a failed call means for what it was to do. */
export function pushErrorOf(cause: unknown): PushError {
  if (cause instanceof PushError) return cause;
  const neverSent = cause instanceof CallError && cause.failure.neverSent;
  const code = neverSent ? 'GATEWAY_UNREACHABLE' : 'OUTCOME_UNKNOWN';
  const reason = cause instanceof Error ? cause.message : 'no gateway';
  return new PushError(code, `push failed: ${reason}`, { cause });
}
