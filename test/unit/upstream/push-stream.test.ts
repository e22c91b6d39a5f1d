import { describe, expect, test } from '@jest/globals';
import type { ResponseStream, StreamCall } from '../../../src/grpc/server-method.js';
import { GrpcStatus } from '../../../src/grpc/unary-caller.js';
import { silentLogger } from '../../../src/telemetry/log.js';
import { MAX_BATCH_PUSHES } from '../../../src/upstream/push-batch.js';
import { PushStreams } from '../../../src/upstream/push-stream.js';
import type { PushResult, PushSink } from '../../../src/upstream/push-sink.js';
import { MAX_UPSTREAM_FIELDS } from '../../../src/wire/limits.js';
import {
  PushStreamRequest,
  PushStreamResponse,
  decodeMessage,
  encodeMessage,
} from '../../../src/wire/messages.js';
import { until } from '../../support/until.js';

/** A caller's end of one call, to a sink that answers when the test says so. */
class Caller implements ResponseStream, PushSink {
  readonly messages: Uint8Array[] = [];
  readonly waiting: ((result: PushResult) => void)[] = [];
  ended: { readonly status: number; readonly message: string } | null = null;
  paused = false;
  readonly queuedBytes = 0;
  readonly call: StreamCall = new PushStreams(this, silentLogger()).method().open(this, '');

  write(message: Uint8Array): boolean {
    this.messages.push(message);
    return true;
  }
  pause(): void {
    this.paused = true;
  }
  resume(): void {
    this.paused = false;
  }
  end(status: number = GrpcStatus.OK, message = ''): void {
    this.ended ??= { status, message };
  }
  push(_: unknown, done: (result: PushResult) => void): void {
    this.waiting.push(done);
  }
  refused(): void {
    throw new Error('nobody pushes what is refused at sight');
  }
  broadcast(): void {
    throw new Error('nobody broadcasts');
  }

  /** A good push with a number. */
  send(pushId: number): void {
    const push = { targetType: 'openid', targetId: 'a', content: 'x' };
    this.call.onMessage(encodeMessage(PushStreamRequest, { pushes: [{ pushId, push }] }));
  }

  get answered(): unknown[] {
    return this.messages.flatMap((bytes) =>
      decodeMessage(PushStreamResponse, bytes).results.map(({ pushId }) => pushId),
    );
  }
}

const GOOD: PushResult = { success: true, message: '', errorCode: '' };

/** As many pushes that hold nothing: the shortest that there are. */
const empty = (count: number) => Buffer.from('0a00'.repeat(count), 'hex');

describe('a message of too many pushes', () => {
  test.each([
    [MAX_BATCH_PUSHES + 1, /^a message of 1001 pushes, the limit is 1000$/],
    [100_000, /^a message of 100000 pushes, the limit is 1000$/],
    [MAX_UPSTREAM_FIELDS + 1, /more than 131072 fields/],
  ])('ends the call with one status: %d', async (count, message) => {
    const caller = new Caller();
    caller.call.onMessage(empty(count));
    await until(() => caller.ended !== null);
    expect(caller.ended).toEqual({
      status: GrpcStatus.INVALID_ARGUMENT,
      message: expect.stringMatching(message),
    });
    expect([caller.messages.length, caller.waiting.length]).toEqual([0, 0]);
  });

  test('ends it behind the answers to those before; what comes later is not taken', async () => {
    const caller = new Caller();
    caller.send(1);
    caller.call.onMessage(empty(MAX_BATCH_PUSHES + 1));
    caller.send(2);
    expect([caller.paused, caller.waiting.length, caller.ended]).toEqual([true, 1, null]);
    for (const done of caller.waiting) done(GOOD);
    await until(() => caller.ended !== null);
    expect(caller.answered).toEqual([1]);
    expect(caller.ended?.status).toBe(GrpcStatus.INVALID_ARGUMENT);
  });
});
