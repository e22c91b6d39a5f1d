import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { UpstreamServer } from '../../src/sdk/upstream/index.js';
import { UpstreamServer as Server } from '../../src/sdk/upstream/index.js';
import { FakeGatewayService } from '../support/fake-gateway-service.js';

type Push = Parameters<UpstreamServer['push']>[0];

const GOOD = { openid: 'alice', type: 'n', title: 'good' };

let gateway: FakeGatewayService;
let server: UpstreamServer;

beforeEach(async () => {
  gateway = await FakeGatewayService.start();
  const where = { zone: '001', serviceName: 's', listen: '127.0.0.1:0' };
  server = new Server({ ...where, gateways: [gateway.address] });
  await server.start();
});
afterEach(async () => {
  await server.stop();
  await gateway.stop();
});

describe.each([
  ['openid', { ...GOOD, openid: undefined }],
  ['title', { ...GOOD, title: 5 }],
  ['data', { ...GOOD, data: { a: 1 } }],
  ['data', { ...GOOD, data: new ArrayBuffer(3) }],
  ['metadata["traceparent"]', { ...GOOD, metadata: { traceparent: undefined } }],
  ['idempotencyKey', { ...GOOD, idempotencyKey: 5 }],
])('a push whose %s is of another kind', (where, push) => {
  const wrong = push as unknown as Push;
  const told = { code: 'PUSH_FAILED', message: expect.stringContaining(`never sent: ${where} is`) };

  test('fails alone, and those beside it arrive', async () => {
    const beside = server.push(GOOD);
    await expect(server.push({ ...wrong, retryForMs: 60_000 })).rejects.toMatchObject(told);
    await expect(server.push(wrong)).rejects.toMatchObject(told);
    await beside;
    expect(gateway.pushes.map(({ title }) => title)).toEqual(['good']);
  });

  test('fails alone in a batch', async () => {
    const results = await server.pushBatch([GOOD, wrong, GOOD]);
    expect(results).toMatchObject([
      { success: true },
      { success: false, ...told },
      { success: true },
    ]);
    expect(gateway.pushes).toHaveLength(2);
  });
});

test('a broadcast of another kind is refused, not sent without it', async () => {
  const content = { type: 'n', metadata: { a: undefined } } as unknown as Push;
  await expect(server.broadcast(content)).rejects.toMatchObject({ code: 'PUSH_FAILED' });
  expect(gateway.broadcasts).toEqual([]);
});

test('half of an emoji arrives as U+FFFD, and costs nobody else the push', async () => {
  const half = 'cut \ud83d';
  const cut = { ...GOOD, title: half, content: half, metadata: { a: half } };
  const results = await Promise.allSettled([
    server.push(GOOD),
    server.push(cut),
    server.push(GOOD),
  ]);
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled']);
  const whole = 'cut \ufffd';
  expect(gateway.pushes[1]).toMatchObject({ title: whole, content: whole, metadata: { a: whole } });
});
