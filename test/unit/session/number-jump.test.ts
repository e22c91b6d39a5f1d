import { describe, expect, test } from '@jest/globals';
import { jumpAbove } from '../../../src/session/number-jump.js';
import { SessionHarness } from '../../support/session-harness.js';
import { copies } from '../../support/session-world.js';

const JUMPED = 2 ** 32;

/** A gateway that lost what came after three pushes, of which the client acknowledged one. */
function afterJump(): { harness: SessionHarness; sessionId: string } {
  const former = new SessionHarness();
  const client = former.started();
  former.pushTexts('alice', 'one', 'two', 'three');
  client.ack(1);
  const harness = new SessionHarness();
  harness.service.archive.restore(copies(former.service.archive.snapshot()), 'odd');
  return { harness, sessionId: client.started.connectionId };
}

describe('jumpAbove', () => {
  test.each([
    [0, 'odd', 1],
    [0, 'even', 2],
    [2 ** 32 - 1, 'odd', 1],
    [2 ** 32, 'odd', 3],
    [2 ** 32, 'even', 2],
    [5 * 2 ** 32 + 7, 'even', 6],
  ] as const)('above %d, %s: multiple %d', (seq, parity, multiple) => {
    expect(jumpAbove(seq, parity)).toBe(multiple * 2 ** 32);
  });
});

describe('after a jump', () => {
  test('a client that knows no more than the gateway gets the rest and goes on above the jump', () => {
    const { harness, sessionId } = afterJump();
    const client = harness.started('alice', { lastAckedSeqId: 1, resumeSessionId: sessionId });
    expect(client.started).toMatchObject({ resumed: true, recovered: true, nextPushSeq: 2 });
    harness.pushTexts('alice', 'four');
    expect(client.seqs).toEqual([2, 3, JUMPED]);
    client.ack(JUMPED);
    expect(client.errors).toEqual([]);
    const next = harness.started('alice', { lastAckedSeqId: JUMPED, resumeSessionId: sessionId });
    expect(next.started).toMatchObject({ resumed: true, recovered: true });
    expect(next.started.nextPushSeq).toBe(JUMPED + 1);
  });

  test('one that has everything is told where the numbers go on', () => {
    const { harness, sessionId } = afterJump();
    const client = harness.started('alice', { lastAckedSeqId: 3, resumeSessionId: sessionId });
    expect(client.started).toMatchObject({ resumed: true, nextPushSeq: JUMPED });
  });

  test.each(['before', 'behind'])(
    'one that saw a number inside the jump is told that something is missing, %s the first push',
    (when) => {
      const { harness, sessionId } = afterJump();
      if (when === 'behind') {
        harness.started('alice', { lastAckedSeqId: 3, resumeSessionId: sessionId });
        harness.pushTexts('alice', 'four');
      }
      const client = harness.started('alice', { lastAckedSeqId: 5, resumeSessionId: sessionId });
      expect(client.started).toMatchObject({ resumed: false, recovered: false });
      expect(client.started.nextPushSeq).toBeGreaterThanOrEqual(JUMPED);
    },
  );

  test('an acknowledgement of a number inside it is refused', () => {
    const { harness, sessionId } = afterJump();
    const client = harness.started('alice', { lastAckedSeqId: 3, resumeSessionId: sessionId });
    harness.pushTexts('alice', 'four');
    client.ack(9);
    expect(client.errors.map(({ code }) => code)).toEqual([400]);
  });

  test('the jump outlives another restart, and the floor went up too', () => {
    const { harness, sessionId } = afterJump();
    const next = new SessionHarness();
    next.service.archive.restore(copies(harness.service.archive.snapshot()));
    const client = next.started('alice', { lastAckedSeqId: 3, resumeSessionId: sessionId });
    expect(client.started).toMatchObject({ resumed: true, recovered: true, nextPushSeq: JUMPED });
    expect(next.started('bob').started.nextPushSeq).toBe(JUMPED + 1);
  });

  test('what restoring appends is numbered above it, for the numbers below may be used already', () => {
    const former = new SessionHarness({ loginAction: 'login' });
    const first = former.started().business(1, 'x', 'login');
    former.push('alice', { content: 'after', syncHint: 2, bindClientSeqId: 1 });
    former.pushTexts('alice', 'held');
    const waiting = copies(former.service.archive.snapshot());
    const bob = former.started('bob').business(1, 'x', 'login');
    former.answer(1);
    bob.business(2);
    former.push('bob', { content: 'after', syncHint: 2, bindClientSeqId: 2 });
    const loggedIn = copies(former.service.archive.snapshot()).slice(1);

    const harness = new SessionHarness({ loginAction: 'login' });
    harness.service.archive.restore(
      [...waiting, ...loggedIn.filter((one) => one.session?.openid === 'bob')],
      'odd',
    );
    const alice = harness.started('alice', { resumeSessionId: first.started.connectionId });
    expect(alice.started).toMatchObject({ resumed: true, nextPushSeq: JUMPED });
    alice.business(2, 'x', 'login');
    harness.answer(0);
    expect(alice.seqs).toEqual([JUMPED, JUMPED + 1, JUMPED + 2, JUMPED + 3]);
    const resumed = { lastAckedSeqId: 1, resumeSessionId: bob.started.connectionId };
    const back = harness.started('bob', resumed);
    expect(back.sequenced.map(({ code, seq, text }) => [code, seq, text])).toEqual([
      [504, JUMPED, 'outcome unknown: the gateway restarted'],
      [200, JUMPED + 1, 'after'],
    ]);
    const stale = harness.started('bob', { ...resumed, lastAckedSeqId: 2 });
    expect(stale.started).toMatchObject({ resumed: false, recovered: false });
  });

  test('two jumps with nothing between them are one', () => {
    const { harness, sessionId } = afterJump();
    const next = new SessionHarness();
    next.service.archive.restore(copies(harness.service.archive.snapshot()), 'odd');
    next.started('alice', { lastAckedSeqId: 3, resumeSessionId: sessionId });
    next.pushTexts('alice', 'four');
    const client = next.started('alice', { lastAckedSeqId: 5, resumeSessionId: sessionId });
    expect(client.started).toMatchObject({ resumed: false, recovered: false });
  });

  test.each([null, 'even'] as const)(
    'one that was away over another restart, too, misses nothing: %s',
    (parity) => {
      const { harness, sessionId } = afterJump();
      // The gateway heard that it has three, and then it was gone.
      harness.started('alice', { lastAckedSeqId: 3, resumeSessionId: sessionId });
      harness.pushTexts('alice', 'four');
      const next = new SessionHarness();
      next.service.archive.restore(copies(harness.service.archive.snapshot()), parity);
      const claim = { lastAckedSeqId: 3, resumeSessionId: sessionId };
      const client = next.started('alice', claim);
      expect(client.started).toMatchObject({ resumed: true, recovered: true, nextPushSeq: JUMPED });
      expect(client.texts).toEqual(['four']);
      const behind = next.started('alice', { ...claim, lastAckedSeqId: 2 });
      expect(behind.started).toMatchObject({ resumed: true, recovered: false });
    },
  );
});
