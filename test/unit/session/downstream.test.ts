import { describe, expect, test } from '@jest/globals';
import { loadConfig } from '../../../src/config/load.js';
import { OutboxTotal } from '../../../src/session/outbox-total.js';
import { FRAME_COST_BYTES } from '../../../src/session/push-cost.js';
import { PushType } from '../../../src/wire/messages.js';
import { SessionHarness } from '../../support/session-harness.js';

const big = 'x'.repeat(1000);

describe('acknowledgement', () => {
  test('is cumulative and frees the outbox', () => {
    const harness = new SessionHarness();
    const client = harness.started();
    harness.pushTexts('alice', 'a', 'b', 'c');
    client.ack(2);
    const session = harness.service.registry.findByOpenid('alice');
    expect(session?.outbox.length).toBe(1);
    client.ack(1);
    expect(session?.outbox.length).toBe(1);
    client.ack(3);
    expect(session?.outbox.totalBytes).toBe(0);
  });

  test('above what was sent is 400 and acknowledges nothing', () => {
    const harness = new SessionHarness();
    const client = harness.started();
    harness.pushTexts('alice', 'a');
    client.ack(2, 6);
    expect(client.last).toMatchObject({ code: 400, msgId: 6, seq: 0 });
    expect(harness.service.registry.findByOpenid('alice')?.outbox.length).toBe(1);
    expect(client.closed).toBeNull();
  });

  test('that comes too late closes the connection with 408, a resume replays', () => {
    const harness = new SessionHarness({ ackTimeout: 1_000, maxRetries: 3 });
    const client = harness.started();
    harness.advance(10_000);
    harness.pushTexts('alice', 'a');
    harness.advance(3_000);
    client.heartbeat();
    expect(client.closed).toBeNull();
    harness.advance(3_000);
    expect(client.closed?.code).toBe(408);
    const id = client.started.connectionId;
    expect(harness.started('alice', { resumeSessionId: id }).texts).toEqual(['a']);
  });

  test('in time keeps the connection, however long it lasts', () => {
    const harness = new SessionHarness({ ackTimeout: 1_000, maxRetries: 0 });
    const client = harness.started();
    for (let round = 1; round <= 20; round++) {
      harness.pushTexts('alice', `p${round}`);
      harness.advance(500);
      client.ack(round);
    }
    expect(client.closed).toBeNull();
    expect(client.seqs).toHaveLength(20);
  });
});

describe('the outbox', () => {
  test('takes pushes up to 90 %, then refuses them, and answers still fit', () => {
    const harness = new SessionHarness({ outboxMaxFrames: 10 });
    const client = harness.started().business(1);
    for (let index = 0; index < 9; index++) harness.pushTexts('alice', `p${index}`);
    expect(harness.push('alice', { content: 'x' })).toMatchObject({
      success: false,
      errorCode: 'OUTBOX_FULL',
    });
    harness.answer(0);
    expect(client.texts.at(-1)).toBe('r1');
    expect(client.closed).toBeNull();
    client.ack(5);
    expect(harness.push('alice', { content: 'y' }).success).toBe(true);
  });

  test('counts bytes too', () => {
    const harness = new SessionHarness({ outboxMaxBytes: 5_000 });
    harness.started();
    for (let index = 0; index < 4; index++) harness.pushTexts('alice', big);
    expect(harness.push('alice', { content: big }).errorCode).toBe('OUTBOX_FULL');
  });

  test('all of them together take so many bytes of pushes; answers still fit', () => {
    const harness = new SessionHarness({ outboxTotalBytes: 5_000, slowConsumer: 'close' });
    const [alice, bob] = [harness.started('alice'), harness.started('bob').business(1)];
    const total = harness.service.environment.outboxTotal;
    for (const openid of ['alice', 'alice', 'bob']) harness.pushTexts(openid, big);
    const after = { content: big, syncHint: 2, bindClientSeqId: 1 };
    expect(harness.push('bob', after).success).toBe(true);
    for (const openid of ['alice', 'bob']) {
      expect(harness.push(openid, { content: big }).errorCode).toBe('OUTBOX_FULL');
    }
    // Nobody is slow: no connection is closed for what others hold.
    expect([alice.closed, bob.closed]).toEqual([null, null]);
    harness.answer(0);
    expect(bob.texts).toEqual([big, 'r1', big]);
    expect(harness.push('alice', { content: big }).success).toBe(false);
    alice.ack(2);
    expect(harness.push('alice', { content: big }).success).toBe(true);
    alice.ack(3);
    bob.ack(3);
    expect(total.bytes).toBe(0);
  });

  test('small pushes count with what keeping them costs, wherever they wait', () => {
    const room = 10 * FRAME_COST_BYTES + 300;
    const harness = new SessionHarness({ outboxTotalBytes: room, loginAction: 'hello' });
    const client = harness.started().business(1, 'h', 'hello');
    const total = harness.service.environment.outboxTotal;
    const after = { syncHint: 2, bindClientSeqId: 1 };
    for (let index = 0; index < 5; index++) {
      expect(harness.push('alice', { content: 'x' }).success).toBe(true);
      expect(harness.push('alice', { content: 'x', ...after }).success).toBe(true);
    }
    expect(harness.push('alice', { content: 'x' }).errorCode).toBe('OUTBOX_FULL');
    harness.answer(0);
    expect(total.bytes).toBeGreaterThan(11 * FRAME_COST_BYTES);
    client.ack(11);
    expect(total.bytes).toBe(0);
  });

  test('by default all together take what 50,000 clients have left of 50 small pushes', () => {
    const { session } = loadConfig({ env: {} }).config;
    const bytes = 50_000 * 50 * (FRAME_COST_BYTES + 100);
    expect(new OutboxTotal(session.outboxTotalBytes).hasRoomForPush(bytes)).toBe(true);
  });

  test('what ends gives its bytes back, whether its pushes move on or not', () => {
    const harness = new SessionHarness({ outboxTotalBytes: 10_000, offlineTtl: 60_000 });
    const total = harness.service.environment.outboxTotal;
    const alice = harness.started('alice').business(1);
    harness.pushTexts('alice', big);
    const one = total.bytes;
    harness.push('alice', { content: big, syncHint: 2, bindClientSeqId: 1 });
    harness.started('alice');
    const moved = total.bytes;
    expect([moved > 2 * one - 20, moved < 2 * one + 20]).toEqual([true, true]);
    harness.answer(0);
    expect(total.bytes).toBe(moved);
    expect(alice.closed).not.toBeNull();
    const session = harness.service.registry.findByOpenid('alice');
    if (session !== undefined) harness.service.end(session, 'stop');
    expect(total.bytes).toBe(0);
    harness.pushTexts('bob', big);
    harness.started('bob');
    expect(total.bytes).toBeGreaterThan(1_000);
    harness.service.standDown();
    expect(total.bytes).toBe(0);
  });

  test('a restart brings everything back, and counts it', () => {
    const before = new SessionHarness();
    before.started('alice').business(1);
    for (let index = 0; index < 4; index++) before.pushTexts('alice', big);
    before.push('alice', { content: big, syncHint: 2, bindClientSeqId: 1 });
    const harness = new SessionHarness({ outboxTotalBytes: 2_000 });
    harness.service.archive.restore(before.service.archive.snapshot());
    const session = harness.service.registry.findByOpenid('alice');
    const total = harness.service.environment.outboxTotal;
    // Four pushes, the 504 to the request, and what was to follow it.
    expect(session?.outbox.length).toBe(6);
    expect(total.bytes).toBe(6 * FRAME_COST_BYTES + (session?.outbox.totalBytes ?? 0));
    expect(harness.push('alice', { content: 'x' }).errorCode).toBe('OUTBOX_FULL');
  });

  test('waiting AFTER pushes count', () => {
    const harness = new SessionHarness({ outboxMaxFrames: 10 });
    harness.started().business(1);
    const after = { syncHint: 2, bindClientSeqId: 1 };
    for (let index = 0; index < 9; index++) {
      expect(harness.push('alice', { content: 'a', ...after }).success).toBe(true);
    }
    expect(harness.push('alice', { content: 'a' }).errorCode).toBe('OUTBOX_FULL');
  });

  test('slow_consumer close also ends the connection, the session resumes', () => {
    const harness = new SessionHarness({ outboxMaxFrames: 10, slowConsumer: 'close' });
    const client = harness.started();
    for (let index = 0; index < 9; index++) harness.pushTexts('alice', `p${index}`);
    expect(harness.push('alice', { content: 'x' }).errorCode).toBe('OUTBOX_FULL');
    expect(client.last).toMatchObject({ code: 429, seq: 0 });
    const back = harness.started('alice', { lastAckedSeqId: 9 });
    expect(back.started.resumed).toBe(true);
    expect(harness.push('alice', { content: 'x' }).success).toBe(true);
  });

  test('an answer that does not fit is kept, and closes the connection with 429', () => {
    const harness = new SessionHarness({ outboxMaxFrames: 4 });
    const client = harness.started();
    for (let seq = 1; seq <= 4; seq++) client.business(seq);
    harness.pushTexts('alice', 'p1', 'p2', 'p3');
    harness.answer(0);
    expect(client.closed).toBeNull();
    harness.answer(1);
    harness.answer(2);
    harness.advance(2000);
    expect(client.closed?.code).toBe(429);
    harness.answer(3);
    const id = client.started.connectionId;
    const back = harness.started('alice', { lastAckedSeqId: 4, resumeSessionId: id });
    expect(back.texts).toEqual(['r2', 'r3', 'r4']);
    expect(back.seqs).toEqual([5, 6, 7]);
  });

  test('a business frame at a full outbox is a final 429 that consumes nothing', () => {
    const harness = new SessionHarness({ outboxMaxFrames: 2 });
    const client = harness.started().business(1).business(2).business(3);
    harness.answer(0);
    harness.answer(1);
    client.business(4, 'x', 'echo', 70);
    expect(client.last).toMatchObject({ code: 429, msgId: 70, seq: 0 });
    harness.advance(2000);
    expect(client.closed?.code).toBe(429);
    const id = client.started.connectionId;
    const back = harness.started('alice', { lastAckedSeqId: 2, resumeSessionId: id });
    expect(back.started.nextClientSeq).toBe(4);
    back.business(4);
    expect(harness.router.seen.map((seen) => seen.clientSeq)).toEqual([1, 2, 3, 4]);
  });
});

describe('a client that does not read', () => {
  test('holds only what its Link took; the rest stays in the bounded outbox and follows later', () => {
    const harness = new SessionHarness();
    const client = harness.client(2_000).start('alice');
    client.link.pause();
    for (let index = 0; index < 20; index++) harness.pushTexts('alice', `${index}${big}`);
    const session = harness.service.registry.findByOpenid('alice');
    expect(session?.highestSent).toBeLessThan(5);
    client.link.resume();
    harness.settle();
    expect(client.seqs).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
  });

  test('may go on with its heartbeats: those above 32 are not answered, and what must be said has room', () => {
    const harness = new SessionHarness();
    const client = harness.client(1_000).start('alice');
    client.link.pause();
    for (let index = 0; index < 200; index++) client.heartbeat();
    client.ack(9_999);
    client.link.resume();
    harness.settle();
    expect(client.closed).toBeNull();
    const answers = client.received.filter(({ type }) => type === PushType.PUSH_HEARTBEAT_RESP);
    expect(answers.length).toBeGreaterThanOrEqual(32);
    expect(answers.length).toBeLessThan(200);
    expect(client.last).toMatchObject({ code: 400, seq: 0 });
    client.heartbeat();
    expect(client.received.at(-1)?.type).toBe(PushType.PUSH_HEARTBEAT_RESP);
  });

  test('is closed when it asks on without reading the answers', () => {
    const harness = new SessionHarness();
    const client = harness.client(1_000).start('alice');
    client.link.pause();
    for (let index = 0; index < 200; index++) client.ack(9_999);
    client.link.resume();
    harness.settle();
    harness.advance(2000);
    expect(client.closed?.code).toBe(429);
    expect(harness.service.registry.findByOpenid('alice')?.active).toBe(false);
  });
});

describe('time', () => {
  test('an active session without any frame for session_timeout ends, heartbeats keep it', () => {
    const harness = new SessionHarness({ sessionTimeout: 60_000, ackTimeout: 0 });
    const quiet = harness.started('quiet');
    const alive = harness.started('alive');
    for (let round = 0; round < 4; round++) {
      harness.advance(20_000);
      alive.heartbeat();
    }
    expect(quiet.closed?.code).toBe(408);
    expect(harness.service.registry.findByOpenid('quiet')).toBeUndefined();
    expect(alive.closed).toBeNull();
  });

  test('in which reading pauses at the limit of requests in flight counts against no client', () => {
    const limits = { sessionTimeout: 5_000, ackTimeout: 1_000, maxRetries: 1, maxInFlight: 2 };
    const harness = new SessionHarness(limits);
    const client = harness.started();
    harness.pushTexts('alice', 'a');
    client.business(1).business(2).ack(1);
    harness.advance(20_000);
    expect(client.closed).toBeNull();
    harness.router.seen.forEach((seen) => harness.router.answer(seen));
    harness.settle();
    expect(client.texts).toEqual(['a', 'r1', 'r2']);
    harness.advance(1_500);
    client.ack(3);
    harness.advance(3_000);
    expect(client.closed).toBeNull();
    client.heartbeat();
    harness.advance(4_000);
    expect(harness.service.registry.size).toBe(1);
    harness.advance(2_000);
    expect(harness.service.registry.size).toBe(0);
  });

  test('after such a pause counts again: late acknowledgements close the connection', () => {
    const limits = { ackTimeout: 1_000, maxRetries: 1, maxInFlight: 1 };
    const harness = new SessionHarness(limits);
    const client = harness.started();
    client.business(1);
    harness.pushTexts('alice', 'a');
    harness.advance(10_000);
    harness.answer(0);
    harness.settle();
    harness.advance(1_000);
    expect(client.closed).toBeNull();
    harness.advance(4_000);
    expect(client.last).toMatchObject({ code: 408 });
  });

  test('a detached session lives for resume_window', () => {
    const harness = new SessionHarness({ resumeWindow: 60_000 });
    const client = harness.started();
    client.link.lose();
    harness.advance(59_000);
    expect(harness.service.registry.size).toBe(1);
    harness.advance(2_000);
    expect(harness.service.registry.size).toBe(0);
    const id = client.started.connectionId;
    const late = harness.started('alice', { resumeSessionId: id });
    expect(late.started).toMatchObject({ resumed: false, recovered: false });
  });
});

describe('STOP', () => {
  test('ends the session at once and closes with code 0; others never notice', () => {
    const harness = new SessionHarness();
    const bob = harness.started('bob');
    const alice = harness.started('alice').business(1);
    alice.stop();
    expect(harness.service.registry.findByOpenid('alice')).toBeUndefined();
    harness.answer(0);
    harness.advance(2_000);
    expect(alice.closed?.code).toBe(0);
    expect(bob.closed).toBeNull();
    expect(harness.push('alice', { content: 'x' }).errorCode).toBe('OPENID_OFFLINE');
  });

  test('unacknowledged and waiting pushes go to the offline queue while offline_ttl > 0', () => {
    const harness = new SessionHarness({ offlineTtl: 60_000 });
    const first = harness.started().business(1);
    harness.push('alice', { content: 'after', syncHint: 2, bindClientSeqId: 1 });
    harness.pushTexts('alice', 'now');
    first.stop();
    harness.pushTexts('alice', 'later');
    const second = harness.started();
    expect(second.texts).toEqual(['now', 'after', 'later']);
    expect(second.started).toMatchObject({ resumed: false, recovered: true, nextPushSeq: 2 });
  });
});

test('unsequenced frames never enter the outbox', () => {
  const harness = new SessionHarness();
  const client = harness.started().heartbeat().ack(99);
  expect(client.received.map((item) => item.type)).toEqual([
    PushType.PUSH_START_RESP,
    PushType.PUSH_HEARTBEAT_RESP,
    PushType.PUSH_ERROR,
  ]);
  const back = harness.started('alice', { resumeSessionId: client.started.connectionId });
  expect(back.received).toHaveLength(1);
});
