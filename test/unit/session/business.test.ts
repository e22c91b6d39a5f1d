import { describe, expect, test } from '@jest/globals';
import { MAX_HOLES } from '../../../src/journal/limits.js';
import { encodeRequestFrame } from '../../../src/wire/frame-encoder.js';
import { PushType, RequestType } from '../../../src/wire/messages.js';
import { SessionHarness } from '../../support/session-harness.js';
import { copies } from '../../support/session-world.js';

describe('a business request', () => {
  test('reaches the upstream with everything it needs, its answer is sequenced and stored', () => {
    const harness = new SessionHarness();
    const client = harness.started('alice').business(1, 'hi', 'echo', 55);
    const request = harness.router.seen[0]?.request;
    expect(request).toMatchObject({ openid: 'alice', clientSeqId: 1, action: 'echo' });
    expect(request?.sessionId).toBe(client.started.connectionId);
    expect(harness.router.seen[0]?.data).toBe('hi');
    harness.answer(0);
    expect(client.last).toMatchObject({ msgId: 55, seq: 1, code: 200, text: 'hi' });
  });

  test('answers come as they arrive, not in request order', () => {
    const harness = new SessionHarness();
    const client = harness.started().business(1).business(2);
    harness.answer(1);
    harness.answer(0);
    expect(client.texts).toEqual(['r2', 'r1']);
    expect(client.seqs).toEqual([1, 2]);
  });

  test('a failure of the upstream is a sequenced PUSH_ERROR', () => {
    const harness = new SessionHarness();
    const client = harness.started().business(1);
    harness.fail(0);
    expect(client.last).toMatchObject({ type: PushType.PUSH_ERROR, code: 504, seq: 1, msgId: 101 });
  });

  test('the first number may be any above 0 and sets the base', () => {
    const harness = new SessionHarness();
    const client = harness.started().business(17).business(18);
    expect(harness.router.seen.map((seen) => seen.clientSeq)).toEqual([17, 18]);
    client.business(16, 'x', 'echo', 70);
    expect(client.last).toMatchObject({ code: 400, msgId: 70, seq: 0 });
    expect(client.last.text).toContain('19');
    client.business(19);
    expect(harness.router.seen).toHaveLength(3);
  });

  test('number 0 and a gap are refused, nothing is consumed, the connection stays', () => {
    const harness = new SessionHarness();
    const client = harness.started().business(0).business(1).business(3);
    expect(client.errors.map((error) => [error.code, error.msgId])).toEqual([
      [400, 100],
      [400, 103],
    ]);
    client.business(2);
    expect(harness.router.seen.map((seen) => seen.clientSeq)).toEqual([1, 2]);
    expect(client.closed).toBeNull();
  });

  test.each(['the first number', 'a jump'])(
    '%s above 2^52 is refused and changes nothing: what is kept could not be read again',
    (what) => {
      const harness = new SessionHarness({}, undefined, undefined, {}, true);
      if (what === 'a jump') {
        const former = harness.started().business(1);
        harness.answer(0);
        former.ack(1).link.lose();
      }
      harness.settle();
      const client = harness.started('alice', { lastAckedSeqId: what === 'a jump' ? 1 : 0 });
      const seen = harness.router.seen.length;
      for (const seq of [2 ** 52 + 1, Number.MAX_SAFE_INTEGER]) {
        client.business(seq, 'x', 'echo', 70);
        expect(client.last).toMatchObject({ code: 400, msgId: 70, seq: 0 });
      }
      expect(client.closed).toBeNull();
      expect(harness.router.seen).toHaveLength(seen);
      client.business(2 ** 52);
      expect(harness.router.seen.at(-1)?.clientSeq).toBe(2 ** 52);
      const states = copies(harness.service.archive.snapshot()).flatMap(
        (record) => record.session ?? [],
      );
      expect(states.map((state) => state.clientNext)).toEqual([2 ** 52 + 1]);
    },
  );

  test('an unknown type is refused, the connection stays', () => {
    const harness = new SessionHarness();
    const client = harness.started();
    client.frame(99 as RequestType, Buffer.alloc(0), 3, 0).business(1);
    expect(client.errors).toMatchObject([{ code: 400, msgId: 3 }]);
    expect(harness.router.seen).toHaveLength(1);
  });

  test('a payload that does not parse closes the connection, the session stays', () => {
    const harness = new SessionHarness();
    const client = harness.started();
    client.frame(RequestType.REQUEST_BUSINESS, Buffer.from([0xff]), 3, 1);
    expect(client.last).toMatchObject({ code: 400, type: PushType.PUSH_ERROR, msgId: 3 });
    harness.advance(2000);
    expect(client.closed?.code).toBe(400);
    expect(harness.service.registry.size).toBe(1);
    const back = harness.started('alice', { resumeSessionId: client.started.connectionId });
    expect(back.started).toMatchObject({ resumed: true, nextClientSeq: 0 });
  });
});

describe('a repeat', () => {
  test('in flight or answered is not dispatched and writes nothing', () => {
    const harness = new SessionHarness();
    const client = harness.started().business(1).business(1);
    harness.answer(0);
    const count = client.received.length;
    client.business(1);
    expect(client.received).toHaveLength(count);
    expect(harness.router.seen).toHaveLength(1);
  });

  test('whose answer was acknowledged gets 410', () => {
    const harness = new SessionHarness();
    const client = harness.started().business(1);
    harness.answer(0);
    client.ack(1).business(1);
    expect(client.last).toMatchObject({ code: 410, msgId: 101, seq: 0 });
    expect(harness.router.seen).toHaveLength(1);
  });

  test('after a resume the SDK sends again from next_client_seq, everything is answered once', () => {
    const harness = new SessionHarness();
    const first = harness.started().business(1).business(2);
    first.link.lose();
    harness.settle();
    harness.answer(0);
    const second = harness.started('alice', { resumeSessionId: first.started.connectionId });
    expect(second.started.nextClientSeq).toBe(3);
    second.business(1).business(2).business(3);
    harness.answer(1);
    harness.answer(2);
    expect(harness.router.seen.map((seen) => seen.clientSeq)).toEqual([1, 2, 3]);
    expect(second.texts).toEqual(['r1', 'r2', 'r3']);
  });
});

describe('holes of deployed clients', () => {
  test('the first business frame of a Link may jump; what it skipped never executes', () => {
    const harness = new SessionHarness();
    const first = harness.started().business(1);
    harness.answer(0);
    first.ack(1).link.close(0, 'bye');
    harness.settle();
    const second = harness.started('alice', { lastAckedSeqId: 1 }).business(5);
    expect(harness.router.seen.map((seen) => seen.clientSeq)).toEqual([1, 5]);
    second.business(3, 'late', 'echo', 70);
    expect(second.last).toMatchObject({ code: 400, msgId: 70 });
    second.business(9, 'gap', 'echo', 71);
    expect(second.last).toMatchObject({ code: 400, msgId: 71 });
    second.business(6);
    expect(harness.router.seen.map((seen) => seen.clientSeq)).toEqual([1, 5, 6]);
  });

  test(`of the last ${MAX_HOLES} jumps is known what they skipped: 400; what older ones skipped is 410 and never executes either`, () => {
    const harness = new SessionHarness();
    let client = harness.started();
    client.business(1);
    for (let jump = 0; jump <= MAX_HOLES; jump++) {
      harness.pushTexts('alice', 'a number to resume by');
      client.link.lose();
      harness.settle();
      client = harness.started('alice', { lastAckedSeqId: 1 + jump }).business(3 + 2 * jump);
    }
    const executed = harness.router.seen.length;
    const skipped = (seq: number) => client.business(seq, 'late').last;
    expect(skipped(2)).toMatchObject({ code: 410, seq: 0 });
    expect(skipped(4)).toMatchObject({ code: 400, seq: 0 });
    expect(skipped(2 + 2 * MAX_HOLES)).toMatchObject({ code: 400, seq: 0 });
    expect(harness.router.seen).toHaveLength(executed);
    expect(client.closed).toBeNull();
  });

  test('an SDK may not jump', () => {
    const harness = new SessionHarness();
    const first = harness.started().business(1);
    first.link.lose();
    harness.settle();
    const id = first.started.connectionId;
    const second = harness.started('alice', { resumeSessionId: id }).business(5);
    expect(second.last).toMatchObject({ code: 400, seq: 0 });
  });
});

describe('requests in flight', () => {
  test('at the limit reading pauses, and goes on with the next answer', () => {
    const harness = new SessionHarness({ maxInFlight: 2 });
    const client = harness.started();
    const frames = [1, 2, 3, 4].map((seqId) =>
      encodeRequestFrame({ type: RequestType.REQUEST_BUSINESS, seqId, msgId: seqId }),
    );
    client.raw(Buffer.concat(frames));
    expect(harness.router.seen).toHaveLength(2);
    harness.answer(0);
    expect(harness.router.seen).toHaveLength(3);
    harness.answer(1);
    harness.answer(2);
    expect(harness.router.seen).toHaveLength(4);
  });

  test('the limit holds over reconnects', () => {
    const harness = new SessionHarness({ maxInFlight: 1 });
    const first = harness.started().business(1);
    first.link.lose();
    harness.settle();
    harness.started('alice', { resumeSessionId: first.started.connectionId }).business(2);
    expect(harness.router.seen).toHaveLength(1);
    harness.answer(0);
    expect(harness.router.seen).toHaveLength(2);
  });
});

describe('login_action', () => {
  test('business before it gets 401 under its number, pushes wait until it succeeded', () => {
    const harness = new SessionHarness({ loginAction: 'hello' });
    const client = harness.started().business(1);
    expect(client.last).toMatchObject({ code: 401, seq: 1, type: PushType.PUSH_ERROR });
    harness.pushTexts('alice', 'waits');
    client.business(2, 'h', 'hello');
    harness.answer(0, 403);
    client.business(3);
    expect(client.last).toMatchObject({ code: 401, seq: 3 });
    client.business(4, 'h', 'hello');
    harness.answer(1);
    expect(client.texts.slice(-2)).toEqual(['h', 'waits']);
    expect(client.seqs).toEqual([1, 2, 3, 4, 5]);
    client.business(5);
    expect(harness.router.seen).toHaveLength(3);
  });

  test('stays over a resume, and is asked again of a new incarnation', () => {
    const harness = new SessionHarness({ loginAction: 'hello' });
    const first = harness.started().business(1, 'h', 'hello');
    harness.answer(0);
    const resumed = harness.started('alice', { resumeSessionId: first.started.connectionId });
    resumed.business(2);
    expect(harness.router.seen).toHaveLength(2);
    harness.pushTexts('alice', 'p');
    const restarted = harness.started('alice').business(1);
    expect(restarted.texts).toEqual(['log in first']);
    restarted.business(2, 'h', 'hello');
    harness.answer(2);
    expect(restarted.texts).toEqual(['log in first', 'h', 'p']);
  });

  test('is let through however many pushes wait for it: nobody could acknowledge them before', () => {
    const offline = { offlineTtl: 60_000, offlineMaxFrames: 50 };
    const harness = new SessionHarness({ loginAction: 'hello', outboxMaxFrames: 16, ...offline });
    const texts = Array.from({ length: 50 }, (_, index) => `p${index}`);
    harness.pushTexts('alice', ...texts);
    const client = harness.started();
    expect(harness.push('alice', { content: 'more' }).errorCode).toBe('OUTBOX_FULL');
    client.business(1).business(2, 'h', 'hello');
    harness.answer(0);
    expect(client.texts).toEqual(['log in first', 'h', ...texts]);
    expect(client.closed).toBeNull();
    // They are in the outbox now, and count like any others.
    client.business(3);
    expect(client.last).toMatchObject({ code: 429, msgId: 103, seq: 0 });
    const back = harness.started('alice', { lastAckedSeqId: 52 }).business(3);
    harness.answer(1);
    expect(back.texts).toEqual(['r3']);
  });

  test('before it succeeded, answers that are not acknowledged still fill the outbox', () => {
    const harness = new SessionHarness({ loginAction: 'hello', outboxMaxFrames: 16 });
    const client = harness.started();
    for (let seq = 1; seq <= 17; seq++) client.business(seq);
    expect(client.seqs).toHaveLength(16);
    expect(client.last).toMatchObject({ code: 429, msgId: 117, seq: 0 });
  });
});

test('a heartbeat is answered with both times and is not sequenced', () => {
  const harness = new SessionHarness();
  const client = harness.started().heartbeat(1234);
  expect(client.last).toMatchObject({ type: PushType.PUSH_HEARTBEAT_RESP, seq: 0, text: '1234' });
});
