import { describe, expect, test } from '@jest/globals';
import { StateRecord, decodeMessage, encodeMessage } from '../../../src/wire/messages.js';
import type { SessionOptions } from '../../../src/session/options.js';
import type { NumberCeiling } from '../../../src/journal/number-ceiling.js';
import { SessionHarness } from '../../support/session-harness.js';

/** Another gateway that takes over what the first one left, through the bytes of the state file. */
function successor(former: SessionHarness, options: Partial<SessionOptions> = {}): SessionHarness {
  const records = [...former.service.archive.snapshot()].map((record) =>
    decodeMessage(StateRecord, encodeMessage(StateRecord, record)),
  );
  const harness = new SessionHarness(options);
  harness.service.archive.restore(records);
  return harness;
}

describe('state across a stop', () => {
  test('sessions, numbers and unacknowledged frames come back', () => {
    const former = new SessionHarness();
    const first = former.started().business(1).business(2);
    former.answer(0);
    former.pushTexts('alice', 'a', 'b');
    former.answer(1);
    first.ack(1);
    const harness = successor(former);
    const id = first.started.connectionId;
    const client = harness.started('alice', { lastAckedSeqId: 2, resumeSessionId: id });
    expect(client.started).toMatchObject({
      resumed: true,
      recovered: true,
      connectionId: id,
      nextClientSeq: 3,
      nextPushSeq: 3,
    });
    expect(client.texts).toEqual(['b', 'r2']);
    expect(client.seqs).toEqual([3, 4]);
    // Its answer is on its way again.
    client.business(2);
    expect(client.errors).toEqual([]);
    client.business(1, 'x', 'echo', 70);
    expect(client.last).toMatchObject({ code: 410, msgId: 70 });
    client.business(3);
    expect(harness.router.seen.map((seen) => seen.clientSeq)).toEqual([3]);
  });

  test('a request without an answer gets 504, then its AFTER pushes, and is not dispatched again', () => {
    const former = new SessionHarness();
    const first = former.started().business(1);
    former.push('alice', { content: 'after', syncHint: 2, bindClientSeqId: 1 });
    const harness = successor(former);
    const client = harness.started('alice', { resumeSessionId: first.started.connectionId });
    expect(client.sequenced.map((item) => [item.code, item.msgId])).toEqual([
      [504, 101],
      [200, 0],
    ]);
    client.business(1);
    expect([harness.router.seen, client.errors]).toEqual([[], []]);
  });

  test('the journal calls no new session by the name of one that came back', () => {
    const former = new SessionHarness();
    for (const openid of ['alice', 'bob']) former.started(openid);
    const harness = successor(former);
    harness.started('carol');
    const handles = [...harness.service.registry.all()].map(({ handle }) => handle);
    expect([handles.length, new Set(handles).size]).toEqual([3, 3]);
  });

  test('holes stay holes', () => {
    const former = new SessionHarness();
    const first = former.started().business(1);
    former.answer(0);
    first.ack(1).link.lose();
    former.settle();
    former.started('alice', { lastAckedSeqId: 1 }).business(5);
    const harness = successor(former);
    const client = harness.started('alice', { lastAckedSeqId: 1 }).business(3, 'x', 'echo', 70);
    expect(client.errors.at(-1)).toMatchObject({ code: 400, msgId: 70 });
  });

  test('the floor, offline queues with the time they have left, and keys come back', () => {
    const former = new SessionHarness({ offlineTtl: 10_000 });
    const gone = former.started('gone');
    former.pushTexts('gone', 'a', 'b', 'c');
    gone.ack(3).stop();
    former.pushTexts('bob', 'old');
    former.advance(6_000);
    former.pushTexts('bob', 'new');
    const keyed = { idempotencyKey: 'k', content: 'keyed' };
    former.push('bob', keyed);
    const harness = successor(former, { offlineTtl: 10_000 });
    expect(harness.push('bob', keyed).success).toBe(true);
    harness.advance(5_000);
    const bob = harness.started('bob');
    expect(bob.texts).toEqual(['new', 'keyed']);
    expect(bob.seqs).toEqual([4, 5]);
  });

  test('a restored session lives for resume_window', () => {
    const former = new SessionHarness();
    former.started();
    const harness = successor(former, { resumeWindow: 20_000 });
    harness.advance(19_000);
    expect(harness.service.registry.size).toBe(1);
    harness.advance(2_000);
    expect(harness.service.registry.size).toBe(0);
  });

  test('a full table gives the place of the longest detached session that has nothing to lose', () => {
    const former = new SessionHarness();
    const clients = new Map(['a', 'b', 'c', 'd'].map((name) => [name, former.started(name)]));
    former.pushTexts('d', 'wanted');
    for (const name of ['d', 'c', 'a', 'b']) {
      clients.get(name)?.link.lose();
      former.advance(1_000);
    }
    const harness = successor(former, { maxSessions: 4 });
    const left = () => [...harness.service.registry.all()].map(({ openid }) => openid).sort();
    expect(harness.started('e').started.success).toBe(true);
    expect(left()).toEqual(['a', 'b', 'd', 'e']);
    expect(harness.started('f').started.success).toBe(true);
    expect(left()).toEqual(['b', 'd', 'e', 'f']);
    const copy = successor(harness, { maxSessions: 4 });
    copy.started('g');
    expect([...copy.service.registry.all()].map(({ openid }) => openid)).not.toContain('b');
  });

  test('a full table keeps a session that awaits an answer', () => {
    const harness = new SessionHarness({ maxSessions: 1 });
    const client = harness.started('alice').business(1);
    client.link.lose();
    harness.settle();
    expect(harness.started('bob').last).toMatchObject({ code: 503 });
    harness.answer(0);
    expect(harness.started('bob').last).toMatchObject({ code: 503 });
    const back = harness.started('alice', { resumeSessionId: client.started.connectionId });
    expect(back.texts).toEqual(['r1']);
  });

  test('a snapshot disturbs nobody; pushes are refused only once they are closed', () => {
    const former = new SessionHarness();
    former.started();
    expect([...former.service.archive.snapshot()].length).toBeGreaterThan(1);
    expect(former.push('alice', { content: 'meanwhile' }).success).toBe(true);
    former.service.pushes.close();
    expect(former.push('alice', { content: 'late' }).errorCode).toBe('SHUTTING_DOWN');
    expect(former.broadcast('late')).toBe(0);
  });
});

describe('the number ceiling', () => {
  test('is raised before a number passes it, but not by a claim', () => {
    const raised: number[] = [];
    const ceiling: NumberCeiling & { value: number } = {
      value: 2,
      raise(seq) {
        raised.push(seq);
        this.value = seq + 10;
      },
    };
    const harness = new SessionHarness({}, undefined, ceiling);
    const client = harness.started();
    harness.pushTexts('alice', 'a', 'b');
    expect(raised).toEqual([]);
    harness.pushTexts('alice', 'c');
    expect(raised).toEqual([3]);
    expect(client.seqs).toEqual([1, 2, 3]);
    const liar = harness.started('liar', { lastAckedSeqId: 1e9 });
    harness.pushTexts('liar', 'a');
    expect(liar.seqs).toEqual([1e9 + 1]);
    expect(raised).toEqual([3]);
  });
});
