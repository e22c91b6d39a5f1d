import { expect, test } from '@jest/globals';
import { PushError, UpstreamServer } from '../../../../src/sdk/upstream/index.js';
import { PushRetries } from '../../../../src/sdk/upstream/push-retry.js';
import { FakeClock } from '../../../support/fake-clock.js';
import { turns } from '../../../support/fake-gateway.js';

/** Attempts that fail by themselves with this code, or, without one, when the test says so. */
function retries(code: string | null) {
  const clock = new FakeClock();
  const keys: (string | undefined)[] = [];
  let fail: (error: Error) => void = () => undefined;
  const pushes = new PushRetries(clock, ({ idempotencyKey }) => {
    keys.push(idempotencyKey ?? undefined);
    if (code !== null) return Promise.reject(new PushError(code, 'push failed: no way'));
    return new Promise((_, reject) => (fail = reject));
  });
  return { clock, keys, pushes, fail: (error: Error) => fail(error) };
}

/** How the push ended so far. */
function watched(push: Promise<void>) {
  const ends: unknown[] = [];
  push.then(
    () => ends.push('taken'),
    (error: unknown) => ends.push(error),
  );
  return ends;
}

test('a push is tried again under one key until its time is up', async () => {
  const { clock, keys, pushes } = retries('GATEWAY_UNREACHABLE');
  const ends = watched(pushes.push({}, 1_000));
  await clock.advanceAsync(900, 10);
  expect(ends).toEqual([]);
  await clock.advanceAsync(200, 10);
  expect(ends).toEqual([expect.objectContaining({ code: 'GATEWAY_UNREACHABLE' })]);
  expect(keys.length).toBeGreaterThan(2);
  expect(new Set(keys).size).toBe(1);
  expect(keys[0]).toMatch(/^[0-9a-f-]{36}$/);
  expect(clock.pending).toBe(0);
});

test('stop ends what waits to be tried again, at once and with the code of its last attempt', async () => {
  const { clock, keys, pushes } = retries('OUTCOME_UNKNOWN');
  const ends = [watched(pushes.push({}, 60_000)), watched(pushes.push({}, 60_000))];
  await turns();
  pushes.stop();
  await turns();
  for (const [error] of ends) {
    expect(error).toBeInstanceOf(PushError);
    expect(error).toMatchObject({
      code: 'OUTCOME_UNKNOWN',
      message: 'push failed: no way; not tried again, the upstream was stopped',
    });
  }
  expect(clock.pending).toBe(0);
  await clock.advanceAsync(60_000, 1_000);
  expect(keys).toHaveLength(2);
});

test('an attempt under way at the stop is the last one', async () => {
  const { clock, keys, pushes, fail } = retries(null);
  const ends = watched(pushes.push({}, 60_000));
  pushes.stop();
  await turns();
  expect(ends).toEqual([]);
  fail(new PushError('SHUTTING_DOWN', 'push refused: it stops'));
  await turns();
  expect(ends).toEqual([expect.objectContaining({ code: 'SHUTTING_DOWN' })]);
  expect([keys.length, clock.pending]).toEqual([1, 0]);
});

test('an upstream that stops tries no push again', async () => {
  const clock = new FakeClock();
  const options = { zone: '001', serviceName: 's', listen: '127.0.0.1:0', clock };
  const upstream = new UpstreamServer({ ...options, gateways: [] });
  const ends = watched(upstream.push({ openid: 'alice', type: 't', retryForMs: 60_000 }));
  await turns();
  expect(ends).toEqual([]);
  await upstream.stop();
  expect(ends).toEqual([
    expect.objectContaining({
      code: 'GATEWAY_UNREACHABLE',
      message: expect.stringContaining('the upstream was stopped'),
    }),
  ]);
});

test.each([
  ['20,000', 20_000, {}],
  ['64 MiB', 63, { content: 'x'.repeat(1_048_576) }],
])(
  '%s of pushes wait to be tried again, and a further one fails at once',
  async (_, most, push) => {
    const { pushes } = retries('GATEWAY_UNREACHABLE');
    const waiting = Array.from({ length: most }, () => watched(pushes.push(push, 60_000)));
    const further = watched(pushes.push(push, 60_000));
    await turns();
    expect(waiting.flat()).toEqual([]);
    const message = 'push failed: no way; not tried again, too many pushes wait to be';
    expect(further).toEqual([expect.objectContaining({ code: 'GATEWAY_UNREACHABLE', message })]);
    pushes.stop();
    await turns();
    expect(waiting.flat()).toHaveLength(most);
  },
);
