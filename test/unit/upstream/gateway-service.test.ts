import { describe, expect, test } from '@jest/globals';
import { silentLogger } from '../../../src/telemetry/log.js';
import { GatewayService } from '../../../src/upstream/gateway-service.js';
import { Method } from '../../../src/wire/grpc-methods.js';
import {
  BroadcastRequest,
  BroadcastResponse,
  UnicastPushRequest,
  UnicastPushResponse,
  UpstreamRegisterRequest,
  UpstreamRegisterResponse,
  decodeMessage,
  encodeMessage,
} from '../../../src/wire/messages.js';
import {
  RecordingPushSink,
  RecordingRegistrationSink,
} from '../../support/upstream-recording-sinks.js';

class Bench {
  readonly pushes = new RecordingPushSink();
  readonly registrations = new RecordingRegistrationSink();
  private readonly methods = new GatewayService(
    this.pushes,
    this.registrations,
    silentLogger(),
  ).methods();

  call(path: string, request: Uint8Array): Uint8Array {
    const method = this.methods.find((candidate) => candidate.path === path);
    let answer: Uint8Array | null = null;
    method?.handle(
      request,
      '127.0.0.1:40000',
      (response) => (answer ??= response),
      () => undefined,
    );
    if (answer === null) throw new Error('no answer');
    return answer;
  }

  push(properties: Parameters<typeof UnicastPushRequest.create>[0]): UnicastPushResponse {
    return this.pushBytes(encodeMessage(UnicastPushRequest, properties ?? {}));
  }

  pushBytes(bytes: Uint8Array): UnicastPushResponse {
    return decodeMessage(UnicastPushResponse, this.call(Method.PushToClient, bytes));
  }

  broadcast(bytes: Uint8Array): BroadcastResponse {
    return decodeMessage(BroadcastResponse, this.call(Method.BroadcastToClients, bytes));
  }

  register(bytes: Uint8Array): UpstreamRegisterResponse {
    return decodeMessage(UpstreamRegisterResponse, this.call(Method.RegisterUpstream, bytes));
  }
}

const GARBAGE = Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x7f]);
const good = { targetType: 'openid', targetId: 'alice', data: Buffer.from('hi') };

describe('pushes', () => {
  test('a good one reaches the sink whole and gets its answer', () => {
    const bench = new Bench();
    const push = {
      ...good,
      msgType: 'notice',
      title: 'Title',
      content: 'text',
      metadata: { key: 'value' },
      syncHint: 1,
      bindClientSeqId: 9,
      idempotencyKey: 'key',
    };
    expect(bench.push(push)).toMatchObject({ success: true, message: 'queued', errorCode: '' });
    expect(bench.pushes.pushes).toEqual([expect.objectContaining(push)]);
  });

  test('the sink’s refusal is the answer', () => {
    const bench = new Bench();
    bench.pushes.result = { success: false, message: 'gone', errorCode: 'SESSION_NOT_FOUND' };
    expect(bench.push(good)).toMatchObject(bench.pushes.result);
  });

  test.each([
    ['no target type', { ...good, targetType: '' }, 'INVALID_TARGET_TYPE'],
    ['an unknown target type', { ...good, targetType: 'group' }, 'INVALID_TARGET_TYPE'],
    ['no target', { ...good, targetId: '' }, 'INVALID_TARGET_ID'],
    ['an over-long target', { ...good, targetId: 'é'.repeat(65) }, 'INVALID_TARGET_ID'],
    ['too much data', { ...good, data: Buffer.alloc(1_048_577) }, 'TOO_LARGE'],
    [
      'too much content',
      { ...good, data: Buffer.alloc(0), content: 'x'.repeat(1_048_577) },
      'TOO_LARGE',
    ],
    ['BEFORE without its request', { ...good, syncHint: 1 }, 'BIND_REQUIRED'],
    ['AFTER without its request', { ...good, syncHint: 2 }, 'BIND_REQUIRED'],
    [
      'a best-effort push bound to a request',
      { ...good, syncHint: 2, bindClientSeqId: 1, bestEffort: true },
      'PUSH_FAILED',
    ],
    ['an unknown hint', { ...good, syncHint: 3 }, 'PUSH_FAILED'],
    ['an over-long key', { ...good, idempotencyKey: 'x'.repeat(257) }, 'PUSH_FAILED'],
  ])('%s', (_, push, errorCode) => {
    const bench = new Bench();
    expect(bench.push(push)).toMatchObject({ success: false, errorCode });
    expect(bench.pushes.pushes).toHaveLength(0);
    expect(bench.pushes.refusals).toEqual([errorCode]);
  });

  test('a bound number above 2^53 and bytes that are no message are refused, not thrown', () => {
    const bench = new Bench();
    const huge = Buffer.from('48ffffffffffffffffff01', 'hex');
    for (const bytes of [GARBAGE, huge]) {
      expect(bench.pushBytes(bytes)).toMatchObject({ success: false, errorCode: 'PUSH_FAILED' });
    }
  });

  test('a sink that throws is an internal error whose text stays inside', () => {
    const bench = new Bench();
    bench.pushes.error = new Error('secret');
    const answer = bench.push(good);
    expect(answer).toMatchObject({ success: false, errorCode: 'PUSH_FAILED' });
    expect(answer.message).toBe('internal error');
  });
});

describe('broadcasts', () => {
  test('a good one', () => {
    const bench = new Bench();
    const bytes = encodeMessage(BroadcastRequest, { title: 'Title', data: Buffer.from('hi') });
    expect(bench.broadcast(bytes)).toMatchObject({ sentCount: 7, message: 'sent' });
    expect(bench.pushes.broadcasts[0]).toMatchObject({ title: 'Title', data: Buffer.from('hi') });
  });

  test('a bad one reaches nobody and says why', () => {
    const bench = new Bench();
    const large = encodeMessage(BroadcastRequest, { data: Buffer.alloc(1_048_577) });
    expect(bench.broadcast(large).message).toMatch(/^TOO_LARGE: /);
    expect(bench.broadcast(GARBAGE)).toMatchObject({ sentCount: 0 });
    bench.pushes.error = new Error('bug');
    const answer = bench.broadcast(encodeMessage(BroadcastRequest, {}));
    expect(answer).toMatchObject({ sentCount: 0, message: 'PUSH_FAILED: internal error' });
  });
});

describe('registrations', () => {
  const request = {
    address: ':9001',
    zoneId: '001',
    serviceName: 'service',
    capabilities: ['process_stream'],
  };

  test('reach the sink with the peer, and are answered once', () => {
    const bench = new Bench();
    const bytes = encodeMessage(UpstreamRegisterRequest, request);
    expect(bench.register(bytes)).toMatchObject(bench.registrations.result);
    expect(bench.registrations.requests).toEqual([{ ...request, peer: '127.0.0.1:40000' }]);
  });

  test('garbage and a sink that throws get REGISTER_FAILED', () => {
    const bench = new Bench();
    expect(bench.register(GARBAGE)).toMatchObject({ success: false, errorCode: 'REGISTER_FAILED' });
    bench.registrations.error = new Error('bug');
    const bytes = encodeMessage(UpstreamRegisterRequest, request);
    expect(bench.register(bytes)).toMatchObject({
      success: false,
      errorCode: 'REGISTER_FAILED',
      message: 'internal error',
    });
  });
});
