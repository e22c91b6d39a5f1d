import { beforeEach, describe, expect, test } from '@jest/globals';
import type { ResponseStream, UnaryMethod } from '../../../src/grpc/server-method.js';
import { silentLogger } from '../../../src/telemetry/log.js';
import { ClientService } from '../../../src/upstream/client-service.js';
import type { ClientDirectory } from '../../../src/upstream/client-directory.js';
import { HealthService } from '../../../src/upstream/health-service.js';
import { GatewayService } from '../../../src/upstream/gateway-service.js';
import { MAX_BATCH_PUSHES, pushBatchMethod } from '../../../src/upstream/push-batch.js';
import {
  BroadcastRequest,
  BroadcastResponse,
  GetClientRequest,
  GetClientResponse,
  HealthCheckRequest,
  HealthCheckResponse,
  KickClientRequest,
  KickClientResponse,
  PushBatchRequest,
  PushBatchResponse,
  decodeMessage,
  encodeMessage,
} from '../../../src/wire/messages.js';
import {
  RecordingPushSink,
  RecordingRegistrationSink,
} from '../../support/upstream-recording-sinks.js';

const GARBAGE = Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x7f]);

/** What a method answered: the message, or the status it refused with. */
function ask(method: UnaryMethod | undefined, request: Uint8Array): Uint8Array | number {
  let answer: Uint8Array | number | null = null;
  method?.handle(
    request,
    '127.0.0.1:1',
    (response) => (answer ??= response),
    (status) => (answer ??= status),
  );
  if (answer === null) throw new Error('no answer');
  return answer;
}

describe('PushBatch', () => {
  let sink: RecordingPushSink;
  const batch = (request: Parameters<typeof PushBatchRequest.encode>[0] | Uint8Array) => {
    const bytes =
      request instanceof Uint8Array ? request : encodeMessage(PushBatchRequest, request);
    const answer = ask(pushBatchMethod(sink, silentLogger()), bytes);
    return decodeMessage(PushBatchResponse, answer as Uint8Array);
  };

  beforeEach(() => {
    sink = new RecordingPushSink();
  });

  test('answers every push for itself, in its place', () => {
    const response = batch({
      pushes: [
        { targetType: 'openid', targetId: 'alice', content: 'one' },
        { targetType: 'nobody', targetId: 'alice' },
        { targetType: 'openid', targetId: '' },
        { targetType: 'openid', targetId: 'bob', syncHint: 2 },
      ],
    });
    expect(response.results.map(({ errorCode }) => errorCode)).toEqual([
      '',
      'INVALID_TARGET_TYPE',
      'INVALID_TARGET_ID',
      'BIND_REQUIRED',
    ]);
    expect(response.accepted).toBe(1);
    expect(sink.refusals).toEqual(['INVALID_TARGET_TYPE', 'INVALID_TARGET_ID', 'BIND_REQUIRED']);
    expect(sink.pushes.map(({ targetId, content }) => [targetId, content])).toEqual([
      ['alice', 'one'],
    ]);
  });

  test('one message to many targets, each with its own key, behind the single ones', () => {
    const response = batch({
      pushes: [{ targetType: 'openid', targetId: 'alice', content: 'first' }],
      push: {
        targetType: 'ignored',
        idempotencyKey: 'ignored',
        content: 'many',
        data: Buffer.from('bytes'),
        metadata: { a: '1' },
      },
      targets: [
        { targetType: 'openid', targetId: 'bob', idempotencyKey: 'k1' },
        { targetType: 'session', targetId: 's1' },
      ],
    });
    expect(response.results).toHaveLength(3);
    expect(response.accepted).toBe(3);
    expect(sink.pushes.slice(1)).toEqual([
      expect.objectContaining({
        targetType: 'openid',
        targetId: 'bob',
        idempotencyKey: 'k1',
        content: 'many',
        metadata: { a: '1' },
      }),
      expect.objectContaining({ targetType: 'session', targetId: 's1', idempotencyKey: '' }),
    ]);
    expect(Buffer.from(sink.pushes[2]?.data ?? []).toString()).toBe('bytes');
  });

  test('answers that come later and in another order keep their places', () => {
    const waiting: (() => void)[] = [];
    const slow = {
      push: (push: { targetId: string }, done: (result: never) => void) => {
        const result = { success: true, message: push.targetId, errorCode: '' } as never;
        waiting.push(() => (done(result), done(result)));
      },
      refused: () => undefined,
      broadcast: () => undefined,
    };
    let answer: PushBatchResponse | null = null;
    const pushes = ['a', 'b', 'c'].map((targetId) => ({ targetType: 'openid', targetId }));
    pushBatchMethod(slow, silentLogger()).handle(
      encodeMessage(PushBatchRequest, { pushes }),
      '',
      (bytes) => (answer = decodeMessage(PushBatchResponse, bytes)),
      () => undefined,
    );
    waiting[2]?.();
    waiting[0]?.();
    expect(answer).toBeNull();
    waiting[1]?.();
    expect(answer).toMatchObject({ accepted: 3 });
    const { results } = answer as unknown as PushBatchResponse;
    expect(results.map(({ message }) => message)).toEqual(['a', 'b', 'c']);
  });

  test('an empty batch is an empty success', () => {
    expect(batch({})).toMatchObject({ results: [], accepted: 0, errorCode: '' });
  });

  test.each([
    [
      { pushes: Array(MAX_BATCH_PUSHES + 1).fill({ targetType: 'openid', targetId: 'a' }) },
      'BATCH_TOO_LARGE',
    ],
    [{ targets: [{ targetType: 'openid', targetId: 'a' }] }, 'PUSH_FAILED'],
    [GARBAGE, 'PUSH_FAILED'],
  ])('is refused as a whole: %#', (request, errorCode) => {
    expect(batch(request)).toMatchObject({ results: [], errorCode });
    expect(sink.pushes).toEqual([]);
  });
});

describe('clients', () => {
  const view = {
    online: true,
    sessionId: 's1',
    openid: 'alice',
    zone: '003',
    transport: 'quic',
    remoteAddress: '[::1]:5',
    createdAt: 1_790_000_000_001,
    connectedAt: 1_790_000_000_002,
    lastActivity: 1_790_000_000_003,
    pending: 4,
  };
  const kicked: [string, string][] = [];
  const serving = { elsewhere: null as string | null };
  const directory: ClientDirectory = {
    get elsewhere() {
      return serving.elsewhere;
    },
    find: ({ targetId }) => (targetId === 'alice' ? view : null),
    kick: ({ targetId }, reason) => {
      if (targetId === 'broken') throw new Error('inside');
      kicked.push([targetId, reason]);
      return targetId === 'alice' ? 's1' : null;
    },
  };
  const [kickMethod, getMethod] = new ClientService(directory, silentLogger()).methods();
  const get = (fields: Parameters<typeof GetClientRequest.encode>[0]) =>
    decodeMessage(
      GetClientResponse,
      ask(getMethod, encodeMessage(GetClientRequest, fields)) as Uint8Array,
    );
  const kick = (bytes: Uint8Array) =>
    decodeMessage(KickClientResponse, ask(kickMethod, bytes) as Uint8Array);
  const kickRequest = (fields: Parameters<typeof KickClientRequest.encode>[0]) =>
    encodeMessage(KickClientRequest, fields);

  test('GetClient tells all there is to know', () => {
    expect(get({ targetType: 'openid', targetId: 'alice' })).toMatchObject({
      success: true,
      ...view,
    });
  });

  test('a client that is not known is offline, and that is no error', () => {
    expect(get({ targetType: 'openid', targetId: 'bob' })).toMatchObject({
      success: true,
      online: false,
      sessionId: '',
    });
    expect(get({ targetType: 'x', targetId: 'bob' })).toMatchObject({
      success: false,
      errorCode: 'INVALID_TARGET_TYPE',
    });
  });

  test('a gateway that does not serve sends both to the one that does', () => {
    serving.elsewhere = 'this gateway is not the primary';
    const alice = { targetType: 'openid', targetId: 'alice' };
    const refused = { success: false, errorCode: 'NOT_PRIMARY', message: serving.elsewhere };
    expect(get(alice)).toMatchObject({ ...refused, online: false, sessionId: '' });
    expect(kick(kickRequest(alice))).toMatchObject({ ...refused, sessionId: '' });
    expect(kicked).toEqual([]);
    serving.elsewhere = null;
  });

  test('KickClient names the session that ended', () => {
    const fields = { targetType: 'openid', targetId: 'alice', reason: 'banned' };
    expect(kick(kickRequest(fields))).toMatchObject({ success: true, sessionId: 's1' });
    kick(kickRequest({ ...fields, reason: '' }));
    expect(kicked).toEqual([
      ['alice', 'banned'],
      ['alice', 'ended by the service'],
    ]);
  });

  test.each([
    [kickRequest({ targetType: 'openid', targetId: 'bob' }), 'OPENID_OFFLINE'],
    [kickRequest({ targetType: 'session', targetId: 'bob' }), 'SESSION_NOT_FOUND'],
    [kickRequest({ targetType: 'openid', targetId: '' }), 'INVALID_TARGET_ID'],
    [
      kickRequest({ targetType: 'openid', targetId: 'a', reason: 'x'.repeat(2_000) }),
      'KICK_FAILED',
    ],
    [kickRequest({ targetType: 'openid', targetId: 'broken' }), 'KICK_FAILED'],
    [GARBAGE, 'KICK_FAILED'],
  ])('KickClient refuses: %#', (bytes, errorCode) => {
    expect(kick(bytes)).toMatchObject({ success: false, errorCode });
  });
});

describe('a broadcast', () => {
  const sink = new RecordingPushSink();
  const service = new GatewayService(sink, new RecordingRegistrationSink(), silentLogger());
  const broadcast = (fields: Parameters<typeof BroadcastRequest.encode>[0]) => {
    const method = service.methods().find(({ path }) => path.endsWith('/BroadcastToClients'));
    const answer = ask(method, encodeMessage(BroadcastRequest, fields)) as Uint8Array;
    return decodeMessage(BroadcastResponse, answer);
  };

  test('reaches the sink with its audience', () => {
    const audience = { zoneIds: ['001'], openids: ['a'], sessionIds: ['s'] };
    expect(broadcast(audience).sentCount).toBe(7);
    expect(sink.broadcasts).toEqual([expect.objectContaining(audience)]);
  });

  test.each([
    [{ zoneIds: ['007'] }, /^INVALID_ZONE_ID/],
    [{ openids: Array<string>(10_001).fill('a') }, /^PUSH_FAILED: 10001 zones, openids/],
    [{ zoneIds: Array<string>(10_001).fill('001') }, /^PUSH_FAILED: 10001 zones, openids/],
  ])('with an impossible audience is refused: %#', (fields, message) => {
    expect(broadcast(fields)).toMatchObject({
      sentCount: 0,
      message: expect.stringMatching(message),
    });
  });
});

describe('the health service', () => {
  const status = (answer: Uint8Array | number) =>
    typeof answer === 'number' ? answer : decodeMessage(HealthCheckResponse, answer).status;
  const request = (service: string) => encodeMessage(HealthCheckRequest, { service });

  /** A watcher that keeps what it is told. */
  const watch = (health: HealthService, service = '') => {
    const seen: unknown[] = [];
    const responses: ResponseStream = {
      write: (bytes) => (seen.push(status(bytes)), true),
      queuedBytes: 0,
      pause: () => undefined,
      resume: () => undefined,
      end: (code = 0) => void seen.push(`ended ${code}`),
    };
    const call = health.streams()[0]?.open(responses, '');
    call?.onMessage(request(service));
    return { seen, call };
  };

  test('says NOT_SERVING, SERVING and NOT_FOUND', () => {
    const health = new HealthService();
    const [check] = health.methods();
    expect(status(ask(check, request('')))).toBe(2);
    health.set(true);
    expect(status(ask(check, request('')))).toBe(1);
    expect(status(ask(check, request('gatesvr.proto.GatewayService')))).toBe(1);
    expect(ask(check, request('other'))).toBe(5);
    expect(ask(check, GARBAGE)).toBe(3);
  });

  test('takes short requests only, for it asks for no secret', () => {
    const health = new HealthService();
    const methods = [...health.methods(), ...health.streams()];
    expect(methods.map((method) => method.maxRequestBytes)).toEqual([4_096, 4_096]);
    expect(methods.some((method) => method.guarded)).toBe(false);
  });

  test('a watcher hears the status and every change, until it leaves', () => {
    const health = new HealthService();
    const { seen, call } = watch(health);
    const other = watch(health, 'other');
    health.set(true);
    health.set(true);
    health.set(false);
    call?.onHalfClose();
    call?.onClosed();
    health.set(true);
    expect(seen).toEqual([2, 1, 2]);
    expect(other.seen).toEqual([3, 3, 3, 3]);
    health.close();
    expect(other.seen.at(-1)).toBe('ended 0');
  });

  test('watchers are limited', () => {
    const health = new HealthService();
    for (let index = 0; index < 256; index++) watch(health);
    expect(watch(health).seen).toEqual(['ended 8']);
  });
});
