import { describe, expect, test } from '@jest/globals';
import type { Authenticator, Credentials, Verdict } from '../../../src/session/authenticator.js';
import { encodeRequestFrame } from '../../../src/wire/frame-encoder.js';
import { PushType, RequestType } from '../../../src/wire/messages.js';
import type { StartRequest } from '../../../src/wire/messages.js';
import { SessionHarness } from '../../support/session-harness.js';

describe('START of a first session', () => {
  test('is answered with the session and its numbers', () => {
    const client = new SessionHarness().started('alice');
    expect(client.started).toMatchObject({
      success: true,
      resumed: false,
      recovered: true,
      heartbeatInterval: 30,
      nextClientSeq: 0,
      nextPushSeq: 1,
      epoch: 1,
    });
    expect(client.started.connectionId).toMatch(/^[0-9a-f]{32}$/);
    expect(client.last).toMatchObject({ msgId: 1, seq: 0, type: PushType.PUSH_START_RESP });
  });

  test('of a client that remembers numbers the gateway does not goes on above them', () => {
    const harness = new SessionHarness();
    const client = harness.started('alice', { lastAckedSeqId: 41 });
    expect(client.started).toMatchObject({ resumed: false, recovered: false, nextPushSeq: 42 });
    harness.pushTexts('alice', 'a');
    expect(client.seqs).toEqual([42]);
  });

  test.each([
    ['seq_id above 0', { seq: 1, openid: 'a', acked: 0 }],
    ['an empty openid', { seq: 0, openid: '', acked: 0 }],
    ['an openid above 128 bytes', { seq: 0, openid: 'é'.repeat(65), acked: 0 }],
    ['last_acked_seq_id above 2^52', { seq: 0, openid: 'a', acked: 2 ** 52 + 2 }],
  ])('with %s is refused with 400 and closed', (_, { seq, openid, acked }) => {
    const harness = new SessionHarness();
    const client = harness.client();
    const payload = Buffer.concat([
      Buffer.from([0x0a, Buffer.byteLength(openid) & 0x7f]),
      Buffer.from([]),
    ]);
    if (Buffer.byteLength(openid) < 128 && acked === 0) {
      client.frame(
        RequestType.REQUEST_START,
        Buffer.concat([payload, Buffer.from(openid)]),
        5,
        seq,
      );
    } else {
      client.start(openid, { lastAckedSeqId: acked }, 5);
    }
    expect(client.started).toMatchObject({ success: false });
    expect(client.last).toMatchObject({ msgId: 5, code: 400, seq: 0 });
    harness.advance(2000);
    expect(client.closed).toMatchObject({ code: 400, by: 'peer' });
    expect(harness.service.registry.size).toBe(0);
  });

  test('an openid of exactly 128 bytes is accepted', () => {
    expect(new SessionHarness().started('é'.repeat(64)).started.success).toBe(true);
  });

  test('a first frame that is no START gets 401, bytes that are no frame 400', () => {
    const harness = new SessionHarness();
    const early = harness.client().business(1);
    expect(early.last).toMatchObject({ type: PushType.PUSH_ERROR, code: 401, msgId: 101 });
    const garbage = harness.client().raw(Buffer.from([0, 0, 0, 3, 0xff, 0xff, 0xff]));
    expect(garbage.last).toMatchObject({ type: PushType.PUSH_ERROR, code: 400 });
    const empty = harness.client().raw(Buffer.from([0, 0, 0, 0]));
    expect(empty.last).toMatchObject({ type: PushType.PUSH_ERROR, code: 400 });
    const huge = harness.client().raw(Buffer.from([0, 0x10, 0, 1]));
    expect(huge.last).toMatchObject({ type: PushType.PUSH_ERROR, code: 413 });
    harness.advance(2000);
    expect([early, garbage, empty, huge].map((client) => client.closed?.code)).toEqual([
      401, 400, 400, 413,
    ]);
  });

  test.each([1_024, 10_000])('a frame with %d headers, 400 where they are too many', (count) => {
    const client = new SessionHarness().client();
    const headers = Object.fromEntries(
      Array.from({ length: count }, (_, index) => [`h${index}`, 'v']),
    );
    const request = { type: RequestType.REQUEST_BUSINESS, seqId: 1, headers };
    client.raw(encodeRequestFrame(request));
    expect(client.last?.code).toBe(count === 1_024 ? 401 : 400);
  });

  test('a connection without START is closed after auth_timeout', () => {
    const harness = new SessionHarness();
    const client = harness.client();
    harness.advance(9_000);
    expect(client.received).toHaveLength(0);
    harness.advance(3_000);
    expect(client.last).toMatchObject({ type: PushType.PUSH_ERROR, code: 401 });
    expect(client.closed).toMatchObject({ code: 401 });
  });
});

describe('resume', () => {
  test('replays everything above last_acked_seq_id in order, under the same id', () => {
    const harness = new SessionHarness();
    const first = harness.started('alice');
    harness.pushTexts('alice', 'a', 'b', 'c');
    first.ack(1);
    first.link.lose();
    harness.settle();
    harness.pushTexts('alice', 'd');
    const id = first.started.connectionId;
    const second = harness.started('alice', { lastAckedSeqId: 2, resumeSessionId: id });
    expect(second.started).toMatchObject({
      resumed: true,
      recovered: true,
      connectionId: id,
      nextPushSeq: 3,
    });
    expect(second.seqs).toEqual([3, 4]);
    expect(second.texts).toEqual(['c', 'd']);
    expect(second.received[0]?.type).toBe(PushType.PUSH_START_RESP);
  });

  test('works for deployed clients by last_acked_seq_id alone', () => {
    const harness = new SessionHarness();
    const first = harness.started('alice');
    harness.pushTexts('alice', 'a', 'b');
    first.ack(1);
    first.link.close(0, 'bye');
    harness.settle();
    const second = harness.started('alice', { lastAckedSeqId: 1 });
    expect(second.started).toMatchObject({ resumed: true, recovered: true });
    expect(second.texts).toEqual(['b']);
  });

  test('below what was acknowledged is resumed, but not recovered', () => {
    const harness = new SessionHarness();
    const first = harness.started('alice');
    harness.pushTexts('alice', 'a', 'b', 'c');
    first.ack(2);
    const id = first.started.connectionId;
    const second = harness.started('alice', { lastAckedSeqId: 1, resumeSessionId: id });
    expect(second.started).toMatchObject({ resumed: true, recovered: false, nextPushSeq: 3 });
    expect(second.texts).toEqual(['c']);
  });

  test('of an SDK that received nothing yet keeps every push', () => {
    const harness = new SessionHarness();
    const first = harness.started('alice');
    harness.pushTexts('alice', 'a');
    const id = first.started.connectionId;
    const second = harness.started('alice', { resumeSessionId: id });
    expect(second.started).toMatchObject({ resumed: true, recovered: true, connectionId: id });
    expect(second.texts).toEqual(['a']);
  });
});

describe('new incarnation', () => {
  test('a restarted app gets its unacknowledged pushes under new numbers, answers are dropped', () => {
    const harness = new SessionHarness();
    const first = harness.started('alice');
    first.business(1);
    harness.answer(0);
    harness.pushTexts('alice', 'a', 'b');
    expect(first.seqs).toEqual([1, 2, 3]);
    const second = harness.started('alice');
    expect(second.started).toMatchObject({ resumed: false, recovered: true, nextPushSeq: 4 });
    expect(second.started.connectionId).not.toBe(first.started.connectionId);
    expect(second.seqs).toEqual([4, 5]);
    expect(second.texts).toEqual(['a', 'b']);
    expect(second.business(1).last.seq).toBe(5);
    expect(harness.router.seen).toHaveLength(2);
  });

  test('AFTER pushes of requests in flight follow the other pushes', () => {
    const harness = new SessionHarness();
    const first = harness.started('alice');
    first.business(1);
    harness.push('alice', { content: 'after', syncHint: 2, bindClientSeqId: 1 });
    harness.pushTexts('alice', 'now');
    const second = harness.started('alice');
    expect(second.texts).toEqual(['now', 'after']);
    harness.answer(0);
    expect(second.texts).toEqual(['now', 'after']);
    expect(harness.service.inFlight()).toBe(0);
  });

  test('a claim above what was sent is forgotten history: unrecovered, numbers go on above it', () => {
    const harness = new SessionHarness();
    harness.started('alice');
    harness.pushTexts('alice', 'a');
    const second = harness.started('alice', { lastAckedSeqId: 50 });
    expect(second.started).toMatchObject({ resumed: false, recovered: false, nextPushSeq: 51 });
    expect(second.texts).toEqual(['a']);
  });

  test('another resume_session_id is a new incarnation whatever was acknowledged', () => {
    const harness = new SessionHarness();
    harness.started('alice');
    harness.pushTexts('alice', 'a');
    const second = harness.started('alice', { lastAckedSeqId: 1, resumeSessionId: 'other' });
    expect(second.started).toMatchObject({ resumed: false, recovered: false });
    expect(second.texts).toEqual(['a']);
  });

  test('a process of a former incarnation never resumes a stranger', () => {
    const harness = new SessionHarness();
    harness.started('alice');
    harness.pushTexts('alice', 'a', 'b', 'c');
    const app = harness.started('alice');
    expect(app.seqs).toEqual([4, 5, 6]);
    const old = harness.started('alice', { lastAckedSeqId: 2 });
    expect(old.started).toMatchObject({ resumed: false, recovered: false, nextPushSeq: 7 });
  });

  test('the very claim that opened the incarnation resumes it', () => {
    const harness = new SessionHarness();
    const first = harness.started('alice', { lastAckedSeqId: 9 });
    harness.pushTexts('alice', 'a');
    first.link.lose();
    harness.settle();
    const second = harness.started('alice', { lastAckedSeqId: 9 });
    expect(second.started.resumed).toBe(true);
    expect(second.started.recovered).toBe(false);
    expect(second.seqs).toEqual([10]);
  });

  test('unrecovered is repeated to a refresh too, but not to one that names this session', () => {
    const harness = new SessionHarness();
    const client = harness.started('alice', { lastAckedSeqId: 5 });
    const refreshed = (fields: Partial<StartRequest>) =>
      client.start('alice', fields).started.recovered;
    expect(refreshed({ lastAckedSeqId: 5 })).toBe(false);
    expect(refreshed({ resumeSessionId: client.started.connectionId })).toBe(true);
    expect(refreshed({ lastAckedSeqId: 5 })).toBe(false);
    harness.pushTexts('alice', 'a');
    client.ack(6);
    expect(refreshed({ lastAckedSeqId: 6 })).toBe(true);
  });

  test('unrecovered is repeated until a number of the incarnation is acknowledged', () => {
    const harness = new SessionHarness();
    const first = harness.started('alice', { lastAckedSeqId: 9 });
    expect(first.started.recovered).toBe(false);
    expect(harness.started('alice').started.recovered).toBe(false);
    harness.pushTexts('alice', 'a');
    const third = harness.started('alice', { lastAckedSeqId: 0 });
    expect(third.started.recovered).toBe(false);
    third.ack(third.seqs[0] as number);
    expect(harness.started('alice').started.recovered).toBe(true);
  });
});

describe('numbers', () => {
  test('an unknown openid starts above every number of an ended session', () => {
    const harness = new SessionHarness();
    const first = harness.started('alice');
    harness.pushTexts('alice', 'a', 'b', 'c');
    first.stop();
    expect(harness.started('alice').started.nextPushSeq).toBe(4);
    expect(harness.started('bob').started.nextPushSeq).toBe(4);
  });

  test('one liar does not move everyone', () => {
    const harness = new SessionHarness();
    const liar = harness.started('liar', { lastAckedSeqId: 2 ** 50 });
    harness.pushTexts('liar', 'a');
    liar.stop();
    expect(harness.started('bob').started.nextPushSeq).toBe(1);
  });
});

describe('takeover', () => {
  test('the old connection gets 409 and is read no more', () => {
    const harness = new SessionHarness();
    const old = harness.started('alice');
    harness.pushTexts('alice', 'a', 'b');
    const id = old.started.connectionId;
    const young = harness.started('alice', { resumeSessionId: id });
    expect(old.last).toMatchObject({ type: PushType.PUSH_ERROR, code: 409, seq: 0 });
    old.ack(2).business(1);
    expect(harness.router.seen).toHaveLength(0);
    expect(young.seqs).toEqual([1, 2]);
    expect(harness.service.registry.findByOpenid('alice')?.outbox.length).toBe(2);
    harness.advance(2000);
    expect(old.closed).toMatchObject({ code: 409 });
    expect(harness.service.registry.size).toBe(1);
    harness.pushTexts('alice', 'c');
    expect(young.texts).toEqual(['a', 'b', 'c']);
  });
});

test('a takeover is no detachment: it resumes also where detached sessions do not live', () => {
  const harness = new SessionHarness({ resumeWindow: 0 });
  const old = harness.started('alice');
  harness.pushTexts('alice', 'a');
  const id = old.started.connectionId;
  const young = harness.started('alice', { resumeSessionId: id });
  expect(young.started).toMatchObject({ resumed: true, connectionId: id });
  expect(young.texts).toEqual(['a']);
  harness.pushTexts('alice', 'b');
  expect(young.texts).toEqual(['a', 'b']);
  expect(old.last.code).toBe(409);
});

/** Verifies when the test says so. */
class SlowAuthenticator implements Authenticator {
  readonly waiting: { credentials: Credentials; done: (verdict: Verdict) => void }[] = [];
  verify(credentials: Credentials, done: (verdict: Verdict) => void): void {
    this.waiting.push({ credentials, done });
  }
}

describe('verification', () => {
  test('frames behind START wait in order; nothing changes hands before success', () => {
    const slow = new SlowAuthenticator();
    const harness = new SessionHarness({}, slow);
    const client = harness.client().start('alice').business(1).business(2);
    expect(harness.service.registry.size).toBe(0);
    expect(slow.waiting[0]?.credentials).toMatchObject({ openid: 'alice', token: 'default-token' });
    slow.waiting[0]?.done({ ok: true, expiresAt: null });
    harness.settle();
    expect(client.started.success).toBe(true);
    expect(harness.router.seen.map((seen) => seen.clientSeq)).toEqual([1, 2]);
  });

  test('a bad token takes nothing over and tells 401', () => {
    const slow = new SlowAuthenticator();
    const harness = new SessionHarness({}, slow);
    const owner = harness.client().start('alice');
    slow.waiting[0]?.done({ ok: true, expiresAt: null });
    const thief = harness.client().start('alice');
    slow.waiting[1]?.done({ ok: false, reason: 'not accepted' });
    harness.settle();
    expect(thief.started).toMatchObject({ success: false, error: { errorCode: 401 } });
    harness.pushTexts('alice', 'a');
    expect(owner.texts).toEqual(['a']);
  });

  test('a START that arrived later and holds the session is not displaced by an earlier one', () => {
    const slow = new SlowAuthenticator();
    const harness = new SessionHarness({}, slow);
    const earlier = harness.client().start('alice');
    const later = harness.client().start('alice');
    slow.waiting[1]?.done({ ok: true, expiresAt: null });
    slow.waiting[0]?.done({ ok: true, expiresAt: null });
    harness.settle();
    expect(later.started.success).toBe(true);
    expect(earlier.started).toMatchObject({ success: false, error: { errorCode: 409 } });
    harness.pushTexts('alice', 'a');
    expect(later.texts).toEqual(['a']);
  });

  test('a verdict for a connection that is gone changes nothing', () => {
    const slow = new SlowAuthenticator();
    const harness = new SessionHarness({}, slow);
    const client = harness.client().start('alice');
    client.link.lose();
    harness.settle();
    slow.waiting[0]?.done({ ok: true, expiresAt: null });
    harness.settle();
    expect(harness.service.registry.size).toBe(0);
  });

  test('a token that is verified too late gets START_RESP 401', () => {
    const slow = new SlowAuthenticator();
    const harness = new SessionHarness({}, slow);
    const client = harness.client().start('alice', {}, 77);
    harness.advance(12_000);
    expect(client.last).toMatchObject({ type: PushType.PUSH_START_RESP, code: 401, msgId: 77 });
  });
});

describe('START on a Link that carries a session', () => {
  test('of the same openid refreshes: acknowledges, replays nothing', () => {
    const harness = new SessionHarness();
    const client = harness.started('alice');
    harness.pushTexts('alice', 'a', 'b');
    const id = client.started.connectionId;
    client.start('alice', { lastAckedSeqId: 1 }, 8);
    expect(client.started).toMatchObject({ success: true, connectionId: id, nextPushSeq: 3 });
    expect(client.seqs).toEqual([1, 2]);
    expect(harness.service.registry.findByOpenid('alice')?.outbox.length).toBe(1);
  });

  test('with a bad token says 401 and goes on', () => {
    const slow = new SlowAuthenticator();
    const harness = new SessionHarness({}, slow);
    const client = harness.client().start('alice');
    slow.waiting[0]?.done({ ok: true, expiresAt: null });
    client.start('alice', {}, 8);
    slow.waiting[1]?.done({ ok: false, reason: 'not accepted' });
    harness.settle();
    expect(client.last).toMatchObject({ msgId: 8, code: 401 });
    client.business(1);
    expect(harness.router.seen).toHaveLength(1);
  });

  test('that names a number never sent is 400 and closed; the START behind it sets the client right', () => {
    const harness = new SessionHarness();
    const client = harness.started('alice');
    harness.pushTexts('alice', 'a');
    const { connectionId } = client.started;
    client.start('alice', { lastAckedSeqId: 7 }, 8);
    expect(client.last).toMatchObject({ msgId: 8, code: 400, type: PushType.PUSH_START_RESP });
    harness.advance(2000);
    expect(client.closed?.code).toBe(400);
    const session = harness.service.registry.findByOpenid('alice');
    expect(session).toMatchObject({ id: connectionId, active: false });
    const again = harness.started('alice', { lastAckedSeqId: 7, resumeSessionId: connectionId });
    expect(again.started).toMatchObject({ success: true, resumed: false, recovered: false });
    expect(again.texts).toEqual(['a']);
    expect(again.seqs).toEqual([8]);
  });

  test('of another openid is 403 and closed', () => {
    const harness = new SessionHarness();
    const client = harness.started('alice').start('bob', {}, 8);
    expect(client.last).toMatchObject({ msgId: 8, code: 403, type: PushType.PUSH_START_RESP });
    harness.advance(2000);
    expect(client.closed?.code).toBe(403);
    expect(harness.service.registry.findByOpenid('alice')?.active).toBe(false);
  });
});

describe('capacity', () => {
  test('beyond max_sessions the oldest detached session with nothing to lose goes', () => {
    const harness = new SessionHarness({ maxSessions: 2 });
    const alice = harness.started('alice');
    harness.started('bob');
    expect(harness.started('carol').started).toMatchObject({ success: false });
    harness.advance(2000);
    alice.link.lose();
    harness.settle();
    expect(harness.started('carol').started.success).toBe(true);
    expect(harness.service.registry.findByOpenid('alice')).toBeUndefined();
    expect(harness.service.registry.size).toBe(2);
  });

  test('a detached session with pushes is never evicted', () => {
    const harness = new SessionHarness({ maxSessions: 1 });
    const alice = harness.started('alice');
    alice.link.lose();
    harness.settle();
    harness.pushTexts('alice', 'a');
    const bob = harness.started('bob');
    expect(bob.started).toMatchObject({ success: false, error: { errorCode: 503 } });
    expect(harness.started('alice', { resumeSessionId: alice.started.connectionId }).texts).toEqual(
      ['a'],
    );
  });

  test('where another gateway serves it is refused with 421, and told which', () => {
    const harness = new SessionHarness();
    Object.assign(harness.serving, { accepts: false, primaryAddress: 'other.example:8453' });
    const client = harness.started('alice');
    expect(client.started).toMatchObject({
      success: false,
      error: { errorCode: 421, detail: 'other.example:8453' },
    });
    expect(client.closed).toMatchObject({ code: 421 });
  });

  test('where another gateway serves, a client that has a session there is closed without a word', () => {
    const harness = new SessionHarness();
    const client = harness.started('alice');
    const said = client.received.length;
    harness.serving.accepts = false;
    client.business(1);
    expect(client.received).toHaveLength(said);
    expect(client.closed).toMatchObject({ code: 421 });
    expect(harness.router.seen).toHaveLength(0);
  });

  test('beyond max_connections a connection is closed with 503', () => {
    const harness = new SessionHarness({ maxConnections: 1 });
    harness.started('alice');
    const second = harness.client();
    expect(second.closed).toMatchObject({ code: 503 });
  });

  describe('a tenth beyond max_connections', () => {
    const full = () => new SessionHarness({ maxConnections: 1, surplusConnections: 1 });
    const counted = ({ metrics: { ws, quic } }: SessionHarness) => ({
      taken: ws.connections.of('memory').value,
      rejected: quic.rejected.of('max_connections').value,
    });

    test('a client takes the place of its own connection, which nobody has heard of since', () => {
      const harness = full();
      const ghost = harness.started('alice');
      harness.pushTexts('alice', 'a');
      const { connectionId } = ghost.started;
      const back = harness.started('alice', { resumeSessionId: connectionId });
      expect(back.started).toMatchObject({ success: true, resumed: true });
      expect(back.texts).toEqual(['a']);
      expect(ghost.closed).toMatchObject({ code: 409 });
      expect(counted(harness)).toEqual({ taken: 2, rejected: 0 });
      harness.advance(5_000);
      expect(back.closed).toBeNull();
    });

    test('any other START is refused with 503, and counts as refused alone', () => {
      const harness = full();
      harness.started('alice');
      const bob = harness.started('bob');
      expect(bob.started).toMatchObject({ success: false, error: { errorCode: 503 } });
      expect(bob.closed).toMatchObject({ code: 503 });
      expect(counted(harness)).toEqual({ taken: 1, rejected: 1 });
      expect(harness.client().closed).toBeNull();
    });

    test('a client is taken whose place has become free meanwhile', () => {
      const harness = full();
      const alice = harness.started('alice');
      const bob = harness.client();
      alice.link.lose();
      harness.settle();
      bob.start('bob');
      harness.settle();
      expect(bob.started).toMatchObject({ success: true });
      expect(counted(harness)).toEqual({ taken: 2, rejected: 0 });
    });

    test('who sends no START is closed with 503 after two seconds', () => {
      const harness = full();
      harness.started('alice');
      const silent = harness.client();
      expect(silent.closed).toBeNull();
      expect(harness.client().closed).toMatchObject({ code: 503 });
      harness.advance(2_000);
      expect(silent.closed).toMatchObject({ code: 503 });
      expect(counted(harness)).toEqual({ taken: 1, rejected: 2 });
    });
  });
});
