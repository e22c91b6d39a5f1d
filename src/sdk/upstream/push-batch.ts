import { inBatches } from '../../base/batches.js';
import type { GatewayCaller } from './gateway-caller.js';
import { isElsewhere, mustSearch, pushErrorOf } from './gateways.js';
import { pushBytes, pushFields } from './push-content.js';
import type { PushContent, PushFields, PushOptions, PushTarget } from './push-content.js';

/** One push of a batch. */
export type BatchPush = PushTarget & PushContent & PushOptions;

/** What became of one push of a batch; `code` as of PushError, empty on success. */
export interface BatchResult {
  readonly success: boolean;
  readonly code: string;
  readonly message: string;
}

/**
 * What one call takes; larger batches are cut into several. Bytes: below the 4 MiB of a gRPC message, for
 * a call is answered when all of it is.
 */
const CALL_LIMITS = { count: 1_000, bytes: 2 * 1_048_576 } as const;
const NONE: ReadonlySet<number> = new Set();
const NOWHERE: BatchResult = { success: false, code: 'GATEWAY_UNREACHABLE', message: 'no gateway' };

/**
 * Pushes many messages with few calls; what one gateway does not know is offered to the next, and what
 * no gateway has a session for to those that may keep it for later.
 * @returns a result for every push, in order. Never rejects for the sake of a single push.
 */
export async function pushBatch(
  gateways: readonly GatewayCaller[],
  pushes: readonly BatchPush[],
): Promise<BatchResult[]> {
  const batch = new Batch(pushes);
  const searched = new Set(batch.open.filter((at) => mustSearch(gateways, batch.at(at))));
  const withoutSession: [GatewayCaller, ReadonlySet<number>][] = [];
  for (const gateway of gateways) {
    withoutSession.push([gateway, await batch.offer(gateway, batch.open, searched)]);
  }
  for (const [gateway, offline] of withoutSession) {
    const unkept = batch.open.filter((at) => searched.has(at) && offline.has(at));
    await batch.offer(gateway, unkept, NONE);
  }
  return batch.results;
}

/** Pushes, and what became of each so far. */
class Batch {
  readonly results: BatchResult[];
  /** Places of those that no gateway has taken, refused for all, or may have taken. */
  open: readonly number[];

  private readonly pushes: readonly PushFields[];

  constructor(pushes: readonly BatchPush[]) {
    const open: number[] = [];
    this.results = pushes.map(() => NOWHERE);
    this.pushes = pushes.map((push, at) => {
      try {
        const fields = pushFields(push, push);
        open.push(at);
        return fields;
      } catch (error) {
        this.results[at] = failureOf(error);
        return {};
      }
    });
    this.open = open;
  }

  at(place: number): PushFields {
    return this.pushes[place] ?? {};
  }

  /**
   * Offers those at some places to one gateway, some of them to sessions only.
   * @returns the places of those whose openid has no session there.
   */
  async offer(
    gateway: GatewayCaller,
    places: readonly number[],
    sessionOnly: ReadonlySet<number>,
  ): Promise<ReadonlySet<number>> {
    const offline = new Set<number>();
    for (const part of inBatches(places, (at) => pushBytes(this.at(at)), CALL_LIMITS)) {
      const told = await pushPart(
        gateway,
        part.map((at) =>
          sessionOnly.has(at) ? { ...this.at(at), sessionOnly: true } : this.at(at),
        ),
      );
      part.forEach((at, index) => {
        const result = told[index] ?? NOWHERE;
        const former = this.results[at]?.code ?? '';
        // Of refusals that leave it open, the first gateway's that answered tells most.
        if (!isElsewhere(result.code) || former === NOWHERE.code) this.results[at] = result;
        if (result.code === 'OPENID_OFFLINE') offline.add(at);
      });
    }
    this.open = this.open.filter((at) => isElsewhere(this.results[at]?.code ?? ''));
    return offline;
  }
}

async function pushPart(
  gateway: GatewayCaller,
  pushes: readonly PushFields[],
): Promise<BatchResult[]> {
  try {
    const { results, errorCode, message } = await gateway.pushBatch({ pushes: [...pushes] });
    if (errorCode !== '') return pushes.map(() => ({ success: false, code: errorCode, message }));
    return results.map(({ success, errorCode: code, message: text }) => ({
      success: success ?? false,
      code: code ?? '',
      message: text ?? '',
    }));
  } catch (error) {
    return pushes.map(() => failureOf(error));
  }
}

function failureOf(error: unknown): BatchResult {
  const { code, message } = pushErrorOf(error);
  return { success: false, code, message };
}
