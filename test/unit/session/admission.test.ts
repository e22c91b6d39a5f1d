import { describe, expect, test } from '@jest/globals';
import { PushType } from '../../../src/wire/messages.js';
import { SessionHarness } from '../../support/session-harness.js';

describe('requests per second', () => {
  const limits = { maxQps: 10, qpsWindow: 1_000 };

  test('beyond the limit get 503 as stored answers that consume their numbers', async () => {
    const harness = new SessionHarness({}, undefined, undefined, limits);
    const client = harness.started('alice');
    for (let seq = 1; seq <= 15; seq++) client.business(seq);
    expect(harness.router.seen.map(({ clientSeq }) => clientSeq)).toEqual(
      Array.from({ length: 10 }, (_, index) => index + 1),
    );
    expect(client.sequenced.map(({ msgId, code, type }) => [msgId, code, type])).toEqual(
      [111, 112, 113, 114, 115].map((msgId) => [msgId, 503, PushType.PUSH_ERROR]),
    );
    expect(client.seqs).toEqual([1, 2, 3, 4, 5]);
    const text = await harness.metrics.registry.metrics();
    expect(text).toContain('gatesvr_requests_rejected_total{reason="qps"} 5');
    expect(text).toMatch(/gatesvr_current_qps \d/);
  });

  test('a refusal is replayed after a resume, a repeat of its number is not dispatched', () => {
    const harness = new SessionHarness({}, undefined, undefined, { ...limits, maxQps: 1 });
    const first = harness.started('alice');
    first.business(1).business(2);
    const resumeSessionId = first.started.connectionId;
    first.link.lose();
    harness.settle();
    harness.advance(5_000);
    const second = harness.started('alice', { resumeSessionId });
    expect(second.started).toMatchObject({ resumed: true, nextClientSeq: 3 });
    expect(second.sequenced).toMatchObject([{ seq: 1, msgId: 102, code: 503 }]);
    second.business(2).business(3);
    expect(harness.router.seen.map(({ clientSeq }) => clientSeq)).toEqual([1, 3]);
  });

  test('limit no heartbeat, acknowledgement, START or STOP', () => {
    const harness = new SessionHarness({}, undefined, undefined, { ...limits, maxQps: 1 });
    const client = harness.started('alice');
    client.business(1).business(2).business(3);
    expect(client.seqs).toEqual([1, 2]);
    expect(client.heartbeat().last).toMatchObject({ type: PushType.PUSH_HEARTBEAT_RESP });
    client.ack(2);
    expect(harness.service.registry.findByOpenid('alice')?.outbox.length).toBe(0);
    expect(client.start('alice', {}, 8).last).toMatchObject({ msgId: 8, code: 0 });
    client.stop();
    expect(harness.service.registry.size).toBe(0);
  });
});

describe('the rate of one session', () => {
  const limits = { sessionQps: 10, sessionBurst: 3 };

  test('beyond it requests get 429 with the time to wait, as stored answers', async () => {
    const harness = new SessionHarness({}, undefined, undefined, limits);
    const client = harness.started('alice');
    for (let seq = 1; seq <= 5; seq++) client.business(seq);
    expect(harness.router.seen).toHaveLength(3);
    expect(client.sequenced).toMatchObject([
      { seq: 1, msgId: 104, code: 429, text: 'retry_after_ms=100' },
      { seq: 2, msgId: 105, code: 429, text: 'retry_after_ms=100' },
    ]);
    expect(client.closed).toBeNull();
    harness.advance(100);
    client.business(6).business(7);
    expect(harness.router.seen.at(-1)?.clientSeq).toBe(6);
    expect(await harness.metrics.registry.metrics()).toContain(
      'gatesvr_requests_rejected_total{reason="session_rate"} 3',
    );
  });

  test('a flood of one session takes nothing from another', () => {
    const harness = new SessionHarness({ outboxMaxFrames: 1_000 }, undefined, undefined, {
      ...limits,
      maxQps: 100,
      qpsWindow: 1_000,
    });
    const flooder = harness.started('flooder');
    const other = harness.started('other');
    for (let seq = 1, second = 0; second < 5; second++) {
      for (let index = 0; index < 150; index++) flooder.business(seq++);
      other.business(second * 2 + 1).business(second * 2 + 2);
      harness.advance(1_000);
    }
    expect(other.sequenced).toEqual([]);
    const ofOther = harness.router.seen.filter(({ request }) => request.openid === 'other');
    expect(ofOther.map(({ clientSeq }) => clientSeq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  test('outlives a connection and a new incarnation', () => {
    const harness = new SessionHarness({}, undefined, undefined, limits);
    const first = harness.started('alice');
    first.business(1).business(2).business(3);
    const resumed = harness.started('alice', { resumeSessionId: first.started.connectionId });
    resumed.business(4);
    const restarted = harness.started('alice');
    restarted.business(1);
    expect(harness.router.seen).toHaveLength(3);
    expect(restarted.sequenced.at(-1)).toMatchObject({ code: 429 });
  });

  test('outlives the session: STOP and START buy no new burst, waiting does', () => {
    const harness = new SessionHarness({}, undefined, undefined, limits);
    let executed = 0;
    for (let round = 0; round < 5; round++) {
      const client = harness.started('alice');
      client.business(1).business(2).business(3).stop();
      executed = harness.router.seen.length;
      expect(harness.service.registry.size).toBe(0);
    }
    expect(executed).toBe(3);
    harness.advance(300);
    harness.started('alice').business(1).business(2).business(3).business(4);
    expect(harness.router.seen).toHaveLength(6);
    harness.started('bob').business(1).business(2).business(3).business(4);
    expect(harness.router.seen).toHaveLength(9);
  });
});

describe('connections of one address', () => {
  test('beyond the limit are closed with 429 and when to come back, and make room', async () => {
    const harness = new SessionHarness({}, undefined, undefined, { addressConnections: 2 });
    const first = harness.started('alice');
    harness.started('bob');
    const third = harness.client();
    const fourth = harness.client();
    const refused = { code: 429, reason: 'retry_after_ms=5000' };
    expect(fourth.closed).toMatchObject(refused);
    // A tenth more, or one, may say whose place they take.
    third.start('carol');
    expect(third.started).toMatchObject({ success: false, error: { errorCode: 429 } });
    expect(third.closed).toMatchObject(refused);
    first.link.lose();
    harness.settle();
    expect(harness.started('carol').started.success).toBe(true);
    expect(await harness.metrics.registry.metrics()).toContain(
      'gatesvr_connections_rejected_total{reason="address_connections"} 2',
    );
  });

  test('a client takes the place of its own, which nobody has heard of since', async () => {
    const harness = new SessionHarness({}, undefined, undefined, { addressConnections: 1 });
    const ghost = harness.started('alice');
    harness.pushTexts('alice', 'a');
    const { connectionId: resumeSessionId } = ghost.started;
    const back = harness.started('alice', { resumeSessionId });
    expect(back.started).toMatchObject({ success: true, resumed: true });
    expect(back.texts).toEqual(['a']);
    expect(ghost.closed).toMatchObject({ code: 409 });
    harness.advance(5_000);
    expect(back.closed).toBeNull();
    expect(harness.started('bob').started.success).toBe(false);
    expect(await harness.metrics.registry.metrics()).toContain(
      'gatesvr_connections_rejected_total{reason="address_connections"} 1',
    );
  });

  test('nobody takes the place of a connection of another address', () => {
    const harness = new SessionHarness({}, undefined, undefined, { addressConnections: 1 });
    const elsewhere = harness.client(undefined, '192.0.2.9:1').start('alice');
    harness.started('bob');
    const { connectionId: resumeSessionId } = elsewhere.started;
    const moved = harness.started('alice', { resumeSessionId });
    expect(moved.started).toMatchObject({ success: false, error: { errorCode: 429 } });
    expect(elsewhere.closed).toBeNull();
  });

  test('who sends no START beyond the limit is closed with 429 after two seconds', () => {
    const harness = new SessionHarness({}, undefined, undefined, { addressConnections: 1 });
    harness.started('alice');
    const silent = harness.client();
    expect(silent.closed).toBeNull();
    harness.advance(2_000);
    expect(silent.closed).toMatchObject({ code: 429, reason: 'retry_after_ms=5000' });
  });

  test('beyond the rate are closed with 429; sessions that are there notice nothing', () => {
    const harness = new SessionHarness({}, undefined, undefined, { addressConnectionRate: 2 });
    const alice = harness.started('alice');
    harness.client();
    expect(harness.client().closed).toMatchObject({ code: 429, reason: 'retry_after_ms=500' });
    alice.business(1);
    expect(harness.router.seen).toHaveLength(1);
    harness.advance(500);
    expect(harness.client().closed).toBeNull();
  });

  test('at capacity count for nothing', () => {
    const limits = { addressConnectionRate: 2 };
    const harness = new SessionHarness({ maxConnections: 1 }, undefined, undefined, limits);
    const alice = harness.started('alice');
    for (let index = 0; index < 5; index++) expect(harness.client().closed?.code).toBe(503);
    alice.link.lose();
    harness.settle();
    expect(harness.client().closed).toBeNull();
  });
});
