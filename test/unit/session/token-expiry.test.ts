import { describe, expect, test } from '@jest/globals';
import type { Authenticator, Credentials, Verdict } from '../../../src/session/authenticator.js';
import { LAST_CHANCE_MS } from '../../../src/session/proof-deadline.js';
import { MAX_VERIFYING } from '../../../src/session/start-procedure.js';
import { PushType } from '../../../src/wire/messages.js';
import { SessionHarness } from '../../support/session-harness.js';
import type { BareClient } from '../../support/session-harness.js';

/** Tokens are the ms until they run out; `bad` is none. */
class ExpiringTokens implements Authenticator {
  harness: SessionHarness | null = null;

  verify({ token }: Credentials, done: (verdict: Verdict) => void): void {
    const wall = this.harness?.clock.wallTime() ?? 0;
    if (token === 'bad') done({ ok: false, reason: 'not accepted' });
    else done({ ok: true, expiresAt: wall + Number(token) });
  }
}

function harnessOf(authGrace = 20_000, maxInFlight = 64): SessionHarness {
  const tokens = new ExpiringTokens();
  const harness = new SessionHarness({ authGrace, ackTimeout: 0, maxInFlight }, tokens);
  tokens.harness = harness;
  return harness;
}

/** Notices and last words: msg_id, seq_id, code and detail. */
function told(client: BareClient): unknown[] {
  return client.errors.map(({ msgId, seq, code, text }) => [msgId, seq, code, text]);
}

const NOTICE = [0, 0, 401, 'token_expired'];

describe('a token that runs out during a session', () => {
  test('is told, then the connection is closed with 401 after the grace time', () => {
    const harness = harnessOf();
    const client = harness.started('alice', { authToken: '60000' });
    harness.advance(59_000);
    expect(told(client)).toEqual([]);
    harness.advance(2_000);
    expect(told(client)).toEqual([NOTICE]);
    client.business(1);
    expect(harness.router.seen).toHaveLength(1);
    harness.advance(18_000);
    expect(client.closed).toBeNull();
    harness.advance(3_000);
    expect(told(client)).toEqual([NOTICE, NOTICE]);
    expect(client.closed).toMatchObject({ code: 401 });
  });

  test('is renewed by a START that came while the connection was not read for unanswered requests', () => {
    const harness = harnessOf(20_000, 1);
    const client = harness.started('alice', { authToken: '60000' });
    client.business(1).start('alice', { authToken: '600000' }, 2);
    harness.advance(90_000);
    expect(client.closed).toBeNull();
    harness.answer(0);
    expect(client.last).toMatchObject({ msgId: 2, start: { success: true } });
    harness.advance(60_000);
    expect(client.closed).toBeNull();
    expect(told(client)).toEqual([NOTICE]);
  });

  test('ends the connection soon after it is read again, though it is not read once more then', () => {
    const harness = harnessOf(20_000, 1);
    const client = harness.started('alice', { authToken: '60000' });
    client.business(1).business(2).start('alice', { authToken: 'bad' }, 3).business(3);
    harness.advance(90_000);
    expect(client.closed).toBeNull();
    harness.answer(0);
    harness.advance(LAST_CHANCE_MS - 1_000);
    harness.answer(1);
    expect(client.closed).toBeNull();
    harness.advance(2_000);
    expect(client.closed).toMatchObject({ code: 401 });
  });

  test('is noticed within a minute where the wall clock was set ahead meanwhile', () => {
    const harness = harnessOf();
    const client = harness.started('alice', { authToken: '7200000' });
    harness.advance(1_000);
    harness.clock.stepWall(7_200_000);
    harness.advance(62_000);
    expect(told(client)).toEqual([NOTICE]);
    harness.advance(22_000);
    expect(client.closed).toMatchObject({ code: 401 });
  });

  test('is not told early where the wall clock was set back meanwhile', () => {
    const harness = harnessOf();
    const client = harness.started('alice', { authToken: '60000' });
    harness.clock.stepWall(-100_000);
    harness.advance(155_000);
    expect(told(client)).toEqual([]);
    harness.advance(12_000);
    expect(told(client)).toEqual([NOTICE]);
  });

  test('leaves the session resumable, with everything in its outbox', () => {
    const harness = harnessOf();
    const first = harness.started('alice', { authToken: '1000' });
    harness.advance(30_000);
    expect(first.closed).toMatchObject({ code: 401 });
    harness.pushTexts('alice', 'meanwhile');
    const resumeSessionId = first.started.connectionId;
    const second = harness.started('alice', { authToken: '60000', resumeSessionId });
    expect(second.started).toMatchObject({ resumed: true, connectionId: resumeSessionId });
    expect(second.texts).toEqual(['meanwhile']);
  });

  test.each([
    ['before it runs out', 10_000],
    ['within the grace time', 70_000],
  ])('is renewed by a START on the same connection %s', (_, at) => {
    const harness = harnessOf();
    const client = harness.started('alice', { authToken: '60000' });
    harness.advance(at);
    const notices = told(client).length;
    client.start('alice', { authToken: '100000' }, 8);
    expect(client.last).toMatchObject({ msgId: 8, type: PushType.PUSH_START_RESP });
    expect(client.started.success).toBe(true);
    harness.advance(95_000);
    expect(told(client)).toHaveLength(notices);
    expect(client.closed).toBeNull();
    harness.advance(10_000);
    expect(told(client)).toHaveLength(notices + 1);
  });

  test('is not renewed by a bad one: START_RESP 401, the grace time runs on', () => {
    const harness = harnessOf();
    const client = harness.started('alice', { authToken: '60000' });
    harness.advance(70_000);
    client.start('alice', { authToken: 'bad' }, 8);
    expect(client.last).toMatchObject({ msgId: 8, code: 401, type: PushType.PUSH_START_RESP });
    expect(client.closed).toBeNull();
    harness.advance(12_000);
    expect(client.closed).toMatchObject({ code: 401 });
  });

  test('a bad token before the end changes nothing', () => {
    const harness = harnessOf();
    const client = harness.started('alice', { authToken: '60000' });
    client.start('alice', { authToken: 'bad' }, 8);
    harness.advance(59_000);
    expect(told(client)).toEqual([]);
    client.start('alice', { authToken: '60000' }, 9);
    harness.advance(30_000);
    expect(told(client)).toEqual([]);
  });

  test('means nothing to a session without a connection, nor to another connection', () => {
    const harness = harnessOf();
    const first = harness.started('alice', { authToken: '10000' });
    const second = harness.started('alice', { authToken: '200000' });
    expect(first.errors.at(-1)).toMatchObject({ code: 409 });
    harness.advance(100_000);
    expect(told(second)).toEqual([]);
    expect(second.closed).toBeNull();
  });
});

test('a renewal that nobody had time to verify is 503, and nothing else happens', () => {
  const waiting: ((verdict: Verdict) => void)[] = [];
  const harness = new SessionHarness(
    { maxConnections: MAX_VERIFYING + 10, maxSessions: MAX_VERIFYING + 10 },
    { verify: (_, done) => void waiting.push(done) },
  );
  const client = harness.started('alice');
  waiting.shift()?.({ ok: true, expiresAt: null });
  for (let index = 0; index < MAX_VERIFYING; index++) harness.started(`user-${index}`);
  harness.pushTexts('alice', 'a');
  client.start('alice', { lastAckedSeqId: 1 }, 8);
  expect(client.last).toMatchObject({ msgId: 8, type: PushType.PUSH_START_RESP, code: 503 });
  harness.settle();
  expect(client.closed).toBeNull();
  const session = harness.service.registry.findByOpenid('alice');
  expect([session?.active, session?.outbox.length]).toEqual([true, 1]);
  waiting[0]?.({ ok: true, expiresAt: null });
  client.start('alice', { lastAckedSeqId: 1 }, 9);
  waiting.at(-1)?.({ ok: true, expiresAt: null });
  harness.settle();
  expect(client.last).toMatchObject({ msgId: 9, type: PushType.PUSH_START_RESP });
  expect(client.started.success).toBe(true);
  expect(session?.outbox.length).toBe(0);
});

test('verifications under way are bounded; beyond them START is 503, and they make room again', () => {
  const waiting: ((verdict: Verdict) => void)[] = [];
  const harness = new SessionHarness(
    { maxConnections: MAX_VERIFYING + 10, maxSessions: MAX_VERIFYING + 10 },
    { verify: (_, done) => void waiting.push(done) },
  );
  for (let index = 0; index < MAX_VERIFYING; index++) harness.started(`user-${index}`);
  expect(waiting).toHaveLength(MAX_VERIFYING);
  const refused = harness.started('late');
  expect(refused.last).toMatchObject({ type: PushType.PUSH_START_RESP, code: 503 });
  waiting[0]?.({ ok: true, expiresAt: null });
  harness.started('later');
  waiting[MAX_VERIFYING]?.({ ok: true, expiresAt: null });
  harness.settle();
  expect(harness.service.registry.findByOpenid('later')?.active).toBe(true);
});
