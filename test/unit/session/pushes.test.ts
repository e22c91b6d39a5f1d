import { describe, expect, test } from '@jest/globals';
import { PushService } from '../../../src/session/push-service.js';
import type { PushServiceParts } from '../../../src/session/push-service.js';
import { BroadcastRequest, UnicastPushRequest } from '../../../src/wire/messages.js';
import { SessionHarness } from '../../support/session-harness.js';

describe('a push', () => {
  test('is a BusinessResponse with code 200, its message and data as deployed clients expect', () => {
    const harness = new SessionHarness();
    const client = harness.started();
    harness.push('alice', {
      msgType: 'notice',
      title: 'Hi',
      content: 'text',
      data: Buffer.from('bytes'),
      metadata: { a: '1' },
    });
    expect(client.last).toMatchObject({ msgId: 0, seq: 1, code: 200, text: 'bytes' });
    expect(client.last.push.headers).toEqual({ a: '1', content: 'text' });
    harness.push('alice', { msgType: 'n', title: 't', content: 'only text' });
    expect(client.last.text).toBe('only text');
    expect(client.last.push.headers).toEqual({});
  });

  test('finds its session by id', () => {
    const harness = new SessionHarness();
    const client = harness.started();
    const targetType = 'session';
    expect(harness.push(client.started.connectionId, { targetType, content: 'a' }).success).toBe(
      true,
    );
    expect(client.texts).toEqual(['a']);
    expect(harness.push('nobody', { targetType })).toMatchObject({
      success: false,
      errorCode: 'SESSION_NOT_FOUND',
    });
  });

  test('too large for a frame is refused', () => {
    const harness = new SessionHarness({ outboxMaxBytes: 1e8 });
    harness.started();
    const data = Buffer.alloc(1_048_576);
    expect(harness.push('alice', { data }).errorCode).toBe('TOO_LARGE');
    expect(harness.push('alice', { data: data.subarray(100) }).success).toBe(true);
  });

  test('best effort is sent unsequenced or dropped, never stored', () => {
    const harness = new SessionHarness();
    const client = harness.client(500).start('alice');
    expect(harness.push('alice', { content: 'now', bestEffort: true }).success).toBe(true);
    expect(client.last).toMatchObject({ seq: 0, text: 'now' });
    client.link.pause();
    const content = 'x'.repeat(600);
    harness.push('alice', { content, bestEffort: true });
    expect(harness.push('alice', { content, bestEffort: true }).errorCode).toBe('OUTBOX_FULL');
    client.link.lose();
    harness.settle();
    expect(harness.push('alice', { content, bestEffort: true }).errorCode).toBe('OPENID_OFFLINE');
    expect(harness.service.registry.findByOpenid('alice')?.outbox.length).toBe(0);
  });
});

describe('a push to sessions only', () => {
  const sessionOnly = { sessionOnly: true };

  test('is refused for an openid without a session, and its key may come again', () => {
    const harness = new SessionHarness({ offlineTtl: 60_000 });
    const keyed = { content: 'x', idempotencyKey: 'k' };
    expect(harness.push('alice', { ...keyed, ...sessionOnly }).errorCode).toBe('OPENID_OFFLINE');
    expect(harness.push('alice', keyed).success).toBe(true);
    expect(harness.push('alice', { ...keyed, ...sessionOnly }).success).toBe(true);
    expect(harness.started().texts).toEqual(['x']);
  });

  test('goes to a session that waits for its client like any other', () => {
    const harness = new SessionHarness({ offlineTtl: 60_000 });
    const client = harness.started();
    client.link.lose();
    harness.settle();
    expect(harness.push('alice', { content: 'x', ...sessionOnly }).success).toBe(true);
    expect(harness.service.registry.findByOpenid('alice')?.outbox.length).toBe(1);
  });
});

describe('bound pushes', () => {
  const bound = (syncHint: number, bindClientSeqId: number) => ({ syncHint, bindClientSeqId });

  test('the client sees BEFORE, the answer, AFTER, each in the order submitted', () => {
    const harness = new SessionHarness();
    const client = harness.started().business(1);
    harness.push('alice', { content: 'a1', ...bound(2, 1) });
    harness.push('alice', { content: 'b1', ...bound(1, 1) });
    harness.push('alice', { content: 'a2', ...bound(2, 1) });
    harness.push('alice', { content: 'b2', ...bound(1, 1) });
    harness.push('alice', { content: 'now' });
    harness.answer(0);
    expect(client.texts).toEqual(['b1', 'b2', 'now', 'r1', 'a1', 'a2']);
    expect(client.seqs).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('AFTER follows a 504 too', () => {
    const harness = new SessionHarness();
    const client = harness.started().business(1);
    harness.push('alice', { content: 'a', ...bound(2, 1) });
    harness.fail(0);
    expect(client.sequenced.map((item) => item.code)).toEqual([504, 200]);
  });

  test('to a request that is answered or unknown are appended at once', () => {
    const harness = new SessionHarness();
    const client = harness.started().business(1);
    harness.answer(0);
    harness.push('alice', { content: 'late', ...bound(2, 1) });
    harness.push('alice', { content: 'unknown', ...bound(2, 99) });
    expect(client.texts).toEqual(['r1', 'late', 'unknown']);
  });

  test.each([
    ['200', 200],
    ['a refusal', 401],
  ])('BEFORE comes before the answer to the login too, %s; what is not bound waits', (_, code) => {
    const harness = new SessionHarness({ loginAction: 'login' }, undefined, undefined, {}, true);
    const client = harness.started().business(1, 'r1', 'login');
    harness.pushTexts('alice', 'held');
    harness.push('alice', { content: 'after', ...bound(2, 1) });
    harness.push('alice', { content: 'before', ...bound(1, 1) });
    harness.push('alice', { content: 'unknown', ...bound(1, 9) });
    expect(client.texts).toEqual(['before']);
    harness.answer(0, code);
    const behind = code === 200 ? ['held', 'unknown', 'after'] : [];
    expect(client.texts).toEqual(['before', 'r1', ...behind]);
    expect(harness.service.registry.findByOpenid('alice')?.outbox.totalFrames).toBe(5);
  });

  test('go to the offline queue where the answer that they follow ends the session', () => {
    const limits = { resumeWindow: 0, offlineTtl: 60_000, outboxMaxFrames: 4 };
    const harness = new SessionHarness(limits);
    const client = harness.started().business(1).business(2).business(3);
    harness.push('alice', { content: 'a1', ...bound(2, 3) });
    harness.push('alice', { content: 'a2', ...bound(2, 3) });
    for (const index of [0, 1, 2]) harness.answer(index);
    expect(client.last).toMatchObject({ code: 429, seq: 0 });
    expect(harness.service.registry.size).toBe(0);
    expect(harness.started().texts).toEqual(['a1', 'a2']);
  });

  test('wait across a reconnect', () => {
    const harness = new SessionHarness();
    const first = harness.started().business(1);
    harness.push('alice', { content: 'a', ...bound(2, 1) });
    first.link.lose();
    harness.settle();
    const second = harness.started('alice', { resumeSessionId: first.started.connectionId });
    expect(second.texts).toEqual([]);
    harness.answer(0);
    expect(second.texts).toEqual(['r1', 'a']);
  });
});

describe('an openid without a session', () => {
  test('is offline without offline_ttl', () => {
    expect(new SessionHarness().push('alice', { content: 'a' })).toMatchObject({
      success: false,
      errorCode: 'OPENID_OFFLINE',
    });
  });

  test('gets what waited within offline_ttl, in order; the rest expired and is counted', () => {
    const harness = new SessionHarness({ offlineTtl: 10_000 });
    harness.pushTexts('alice', 'old');
    harness.advance(6_000);
    harness.pushTexts('alice', 'a', 'b');
    harness.advance(6_000);
    const client = harness.started();
    expect(client.texts).toEqual(['a', 'b']);
    expect(harness.metrics.session.pushesExpired.value).toBe(1);
    expect(harness.service.offline.size).toBe(0);
  });

  test('has bounded queues, by frames and by bytes', () => {
    const harness = new SessionHarness({ offlineTtl: 10_000, offlineMaxBytes: 12_000 });
    for (let index = 0; index < 10; index++) harness.pushTexts('alice', 'p');
    expect(harness.push('alice', { content: 'p' }).errorCode).toBe('OFFLINE_QUEUE_FULL');
    const large = 'x'.repeat(6_000);
    harness.pushTexts('bob', large);
    expect(harness.push('carol', { content: large }).errorCode).toBe('OFFLINE_QUEUE_FULL');
    harness.advance(11_000);
    expect(harness.service.offline.size).toBe(0);
    expect(harness.metrics.session.pushesExpired.value).toBe(11);
  });

  test('leaves room for answers in the outbox that takes what waited', () => {
    const limits = { offlineTtl: 10_000, offlineMaxFrames: 90, outboxMaxBytes: 10_000 };
    const harness = new SessionHarness(limits);
    let waiting = 0;
    while (harness.push('alice', { content: 'x'.repeat(120) }).success) waiting++;
    const alice = harness.started('alice').business(1);
    harness.settle();
    expect(alice.closed).toBeNull();
    expect([waiting > 0, alice.texts.length]).toEqual([true, waiting]);
    expect(harness.router.seen).toHaveLength(1);
  });

  test('gets all that was accepted for its session, also where the queue takes less', () => {
    const limits = { offlineTtl: 10_000, offlineMaxFrames: 3, resumeWindow: 1_000 };
    const harness = new SessionHarness(limits);
    harness.started('alice').link.lose();
    harness.settle();
    const texts = ['p1', 'p2', 'p3', 'p4', 'p5'];
    harness.pushTexts('alice', ...texts);
    harness.advance(2_000);
    expect(harness.push('alice', { content: 'p6' }).errorCode).toBe('OFFLINE_QUEUE_FULL');
    expect(harness.started('alice').texts).toEqual(texts);
    expect(harness.metrics.session.pushesExpired.value).toBe(0);
  });
});

describe('broadcast', () => {
  test('goes to active and detached sessions; sent_count says how many took it', () => {
    const harness = new SessionHarness({ outboxMaxFrames: 10 });
    const alice = harness.started('alice');
    const bob = harness.started('bob');
    const carol = harness.started('carol');
    bob.link.lose();
    harness.settle();
    for (let index = 0; index < 9; index++) harness.pushTexts('carol', 'p');
    expect(harness.broadcast('all')).toBe(2);
    expect(alice.texts).toEqual(['all']);
    expect(carol.texts).not.toContain('all');
    const back = harness.started('bob', { resumeSessionId: bob.started.connectionId });
    expect(back.texts).toEqual(['all']);
  });

  test('too large for a frame reaches nobody', () => {
    const harness = new SessionHarness();
    harness.started();
    const answers: [number, string][] = [];
    const request = new BroadcastRequest({ data: Buffer.alloc(1_048_576) });
    harness.service.pushes.broadcast(request, (count, message) => answers.push([count, message]));
    expect(answers).toEqual([[0, expect.stringContaining('larger')]]);
  });
});

describe('idempotency keys', () => {
  test('a repeat is accepted and not delivered; other content is a conflict; time frees the key', () => {
    const harness = new SessionHarness({ sessionTimeout: 3_600_000, ackTimeout: 0 });
    const client = harness.started();
    const keyed = { idempotencyKey: 'k', content: 'a' };
    expect(harness.push('alice', keyed).success).toBe(true);
    expect(harness.push('alice', keyed).success).toBe(true);
    expect(harness.push('alice', { ...keyed, content: 'b' }).errorCode).toBe('KEY_CONFLICT');
    expect(client.texts).toEqual(['a']);
    harness.advance(601_000);
    expect(harness.push('alice', keyed).success).toBe(true);
    expect(client.texts).toEqual(['a', 'a']);
  });

  test('only success is kept', () => {
    const harness = new SessionHarness();
    const keyed = { idempotencyKey: 'k', content: 'a' };
    expect(harness.push('alice', keyed).errorCode).toBe('OPENID_OFFLINE');
    const client = harness.started();
    expect(harness.push('alice', keyed).success).toBe(true);
    expect(client.texts).toEqual(['a']);
  });
});

test('a gateway that is still starting refuses pushes and broadcasts as one to be asked later', () => {
  const { service, metrics, serving } = new SessionHarness();
  const turns = { soon: () => undefined };
  const { registry } = service;
  const parts = { registry, metrics: metrics.session, serving, journal: null, turns };
  const starting = new PushService(parts as unknown as PushServiceParts);
  const answers: unknown[] = [];
  const push = new UnicastPushRequest({ targetType: 'openid', targetId: 'alice', content: 'a' });
  starting.push(push, (result) => answers.push(result));
  starting.broadcast(new BroadcastRequest({ content: 'a' }), (_, why) => answers.push(why));
  const message = 'the gateway is starting, try again';
  const refusal = { success: false, errorCode: 'SHUTTING_DOWN', message };
  expect(answers).toEqual([refusal, `SHUTTING_DOWN: ${message}`]);
});
