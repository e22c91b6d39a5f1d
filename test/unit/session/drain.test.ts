import { describe, expect, test } from '@jest/globals';
import { retryAfterOf } from '../../../src/wire/retry-after.js';
import { SessionHarness } from '../../support/session-harness.js';

/** Lets `ms` pass, and everything that it sets off happen. */
async function pass(harness: SessionHarness, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 10) {
    await harness.clock.advanceAsync(10, 10);
    harness.settle();
  }
}

describe('drain', () => {
  test('tells clients to move, takes no request of theirs, answers what is in flight', async () => {
    const harness = new SessionHarness();
    const client = harness.started().business(1);
    const drained = harness.service.drain(5_000);
    client.business(2);
    expect(harness.router.seen).toHaveLength(1);
    const [notice] = client.errors;
    expect(notice).toMatchObject({ code: 503, msgId: 0, seq: 0 });
    expect(retryAfterOf(notice?.text ?? '')).toBeGreaterThan(0);
    expect(retryAfterOf(notice?.text ?? '')).toBeLessThanOrEqual(1_000);
    harness.answer(0);
    await pass(harness, 100);
    expect(client.closed).toBeNull();
    client.ack(1);
    await pass(harness, 100);
    await drained;
    await pass(harness, 2_000);
    expect(client.sequenced).toMatchObject([{ text: 'r1', seq: 1 }]);
    expect(client.closed).toMatchObject({ code: 503 });
    expect(harness.client().closed).toMatchObject({ code: 503 });
  });

  test('what its clients sent too late is taken, once, after they resumed', async () => {
    const harness = new SessionHarness();
    const client = harness.started();
    const id = client.started.connectionId;
    const drained = harness.service.drain(5_000);
    client.business(1);
    await pass(harness, 100);
    await drained;
    const records = [...harness.service.archive.snapshot()];
    const next = new SessionHarness();
    next.service.archive.restore(records);
    const resumed = next.started('alice', { resumeSessionId: id });
    expect(resumed.started).toMatchObject({ resumed: true, nextClientSeq: 0 });
    resumed.business(1);
    expect([...harness.router.seen, ...next.router.seen]).toHaveLength(1);
  });

  test('does not wait for an upstream beyond its time', async () => {
    const harness = new SessionHarness();
    harness.started().business(1);
    const drained = harness.service.drain(1_000);
    await pass(harness, 1_100);
    await drained;
    expect(harness.service.inFlight()).toBe(1);
  });

  test('waits for the answers of clients that are away, or their outcome would be unknown', async () => {
    const harness = new SessionHarness();
    const client = harness.started().business(1);
    const id = client.started.connectionId;
    client.link.lose();
    harness.settle();
    let over = false;
    const drained = harness.service.drain(5_000).then(() => (over = true));
    await pass(harness, 1_000);
    expect(over).toBe(false);
    harness.answer(0);
    await pass(harness, 100);
    await drained;
    const next = new SessionHarness();
    next.service.archive.restore([...harness.service.archive.snapshot()]);
    const resumed = next.started('alice', { resumeSessionId: id });
    expect(resumed.sequenced).toMatchObject([{ text: 'r1', seq: 1 }]);
  });

  test('waits for acknowledgements while they come, and not for a client that sends none', async () => {
    const harness = new SessionHarness();
    const good = harness.started('good');
    const silent = harness.started('silent');
    harness.pushTexts('good', 'a', 'b');
    harness.pushTexts('silent', 'a');
    let over = false;
    const drained = harness.service.drain(60_000).then(() => (over = true));
    await pass(harness, 1_500);
    good.ack(1);
    await pass(harness, 1_500);
    expect(silent.closed).toMatchObject({ code: 503 });
    expect([good.closed, over]).toEqual([null, false]);
    harness.pushTexts('good', 'kept for later');
    good.ack(2);
    await pass(harness, 1_500);
    expect(good.closed).toMatchObject({ code: 503 });
    await drained;
    const kept = [...harness.service.archive.snapshot()].map(
      ({ session }) => session?.outbox?.length,
    );
    expect(kept.filter((frames) => frames !== undefined)).toEqual([1, 1]);
  });

  test('many clients are told one after another and asked to return at different times', async () => {
    const harness = new SessionHarness();
    const clients = Array.from({ length: 200 }, (_, index) => harness.started(`c${index}`));
    const told = () => clients.filter(({ errors }) => errors.length > 0).length;
    const drained = harness.service.drain(10_000);
    await pass(harness, 200);
    expect(told()).toBeGreaterThan(50);
    expect(told()).toBeLessThan(150);
    await pass(harness, 400);
    await drained;
    expect(told()).toBe(200);
    const waits = clients.map(({ errors }) => retryAfterOf(errors[0]?.text ?? ''));
    expect(new Set(waits).size).toBeGreaterThan(50);
    expect(Math.max(...waits)).toBeLessThanOrEqual(1_000);
  });

  test('whoever brings a START before its turn is served until then', async () => {
    const harness = new SessionHarness();
    for (let index = 0; index < 100; index++) harness.started(`c${index}`);
    const late = harness.client();
    const drained = harness.service.drain(10_000);
    late.start('late').business(1);
    expect(harness.router.seen).toHaveLength(1);
    harness.answer(0);
    late.ack(1);
    await pass(harness, 400);
    await drained;
    expect(late.sequenced).toMatchObject([{ text: 'r1' }]);
    await pass(harness, 2_000);
    expect(late.closed).toMatchObject({ code: 503 });
  });
});
