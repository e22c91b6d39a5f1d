import { CallError, GatewayCaller } from '../../sdk/upstream/gateway-caller.js';
import { BENCH_PUSH } from './push-gateway.js';
import type { PushGateway } from './push-gateway.js';

/** Targets of one PushBatch (MAX_BATCH_PUSHES of src/upstream/push-batch.ts). */
const MAX_TARGETS = 1_000;
const CALL_TIMEOUT_MS = 15_000;

const CONTENT = {
  msgType: BENCH_PUSH,
  title: '',
  content: '',
  metadata: {},
  targetType: '',
  targetId: '',
};

/** One message to many sessions as reliable pushes: PushBatch with targets, as many calls as it takes. */
export class BatchFanOut implements PushGateway {
  private readonly caller: GatewayCaller;

  constructor(address: string) {
    this.caller = new GatewayCaller(address, CALL_TIMEOUT_MS);
  }

  async push(openid: string, data: Uint8Array): Promise<void> {
    await this.fanOut([{ targetType: 'openid', targetId: openid, idempotencyKey: '' }], data);
  }

  async broadcast(sessionIds: readonly string[] | null, data: Uint8Array): Promise<number> {
    if (sessionIds === null) throw new Error('a batch names its targets');
    const targets = sessionIds.map((targetId) => ({
      targetType: 'session',
      targetId,
      idempotencyKey: '',
    }));
    const calls: Promise<void>[] = [];
    for (let from = 0; from < targets.length; from += MAX_TARGETS) {
      calls.push(this.fanOut(targets.slice(from, from + MAX_TARGETS), data));
    }
    await Promise.all(calls);
    return targets.length;
  }

  close(): void {
    this.caller.close();
  }

  /** @throws {Error} where any of the targets was refused. */
  private async fanOut(
    targets: readonly { targetType: string; targetId: string; idempotencyKey: string }[],
    data: Uint8Array,
  ): Promise<void> {
    const request = { push: { ...CONTENT, data }, targets: [...targets] };
    const { accepted, message } = await this.caller.pushBatch(request).catch((error: unknown) => {
      throw error instanceof CallError ? new Error(`a batch failed: ${error.message}`) : error;
    });
    if (accepted === targets.length) return;
    throw new Error(`a batch reached ${accepted} of ${targets.length} sessions ${message}`.trim());
  }
}
