import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Gateway } from '../../src/gateway/gateway.js';
import { GatewayClient } from '../../src/sdk/client/index.js';
import type { UpstreamServer } from '../../src/sdk/upstream/index.js';
import { GatewayHarness } from '../support/gateway-harness.js';
import { until } from '../support/quic-fake-gateway.js';
import { PATIENT_CLIENT } from '../support/patience.js';

const harness = new GatewayHarness();
const clients: GatewayClient[] = [];
let gateways: Gateway[];
let upstream: UpstreamServer;

beforeAll(async () => {
  const apart = { 'server.state_file': 'off', 'routing.registry_file': 'off' };
  gateways = [await harness.gateway(apart), await harness.gateway(apart)];
  upstream = await harness.upstream(gateways[0] as Gateway, '001', () => undefined, {
    gateways: gateways.map(({ grpcPort }) => `127.0.0.1:${grpcPort}`),
  });
});
afterAll(async () => {
  for (const client of clients) client.close();
  await harness.close();
});

async function online(openid: string, at: number): Promise<string[]> {
  const address = `127.0.0.1:${gateways[at]?.quicPort}`;
  const client = new GatewayClient({ ...PATIENT_CLIENT, address, openid, insecure: true });
  clients.push(client);
  const titles: string[] = [];
  client.onPush(({ title }) => titles.push(title));
  await client.connect();
  return titles;
}

test('a batch finds its targets at any gateway', async () => {
  const [here, there] = await Promise.all([online('here', 0), online('there', 1)]);
  const results = await upstream.pushBatch([
    { openid: 'there', type: 'n', title: 'one' },
    { openid: 'nobody', type: 'n', title: 'lost' },
    { openid: 'here', type: 'n', title: 'two' },
    ...Array.from({ length: 1_500 }, () => ({ openid: 'there', type: 'n', title: 'more' })),
  ]);
  expect(results.slice(0, 3).map(({ code }) => code)).toEqual(['', 'OPENID_OFFLINE', '']);
  expect(results).toHaveLength(1_503);
  expect(results.filter(({ success }) => success)).toHaveLength(1_502);
  await until(() => here?.length === 1 && there?.length === 1_501);
});

test('a client is found and kicked wherever it is', async () => {
  await online('guest', 1);
  const second = `127.0.0.1:${gateways[1]?.grpcPort}`;
  expect(await upstream.getClient({ openid: 'guest' })).toMatchObject({
    online: true,
    openid: 'guest',
    transport: 'quic',
    gateway: second,
  });
  expect(await upstream.kick({ openid: 'guest' }, 'bye')).toBe(true);
  expect(await upstream.kick({ openid: 'guest' })).toBe(false);
  expect(await upstream.getClient({ openid: 'guest' })).toBeNull();
});

test('draining takes the instance out of every gateway', async () => {
  const instances = () => gateways.map(({ router }) => router.view().zones[0]?.instances.length);
  expect(instances()).toEqual([1, 1]);
  await upstream.drain();
  expect(instances()).toEqual([0, 0]);
});

test('stopping does so too, at once', async () => {
  const instances = () => gateways.map(({ router }) => router.view().zones[2]?.instances.length);
  const third = await harness.upstream(gateways[0] as Gateway, '003', () => undefined, {
    gateways: gateways.map(({ grpcPort }) => `127.0.0.1:${grpcPort}`),
  });
  expect(instances()).toEqual([1, 1]);
  await third.stop();
  expect(instances()).toEqual([0, 0]);
});

test('a gateway that asks for a secret and speaks TLS takes an upstream that knows both', async () => {
  const folder = harness.folder;
  const closed = await harness.gateway({
    'server.state_file': 'off',
    'routing.registry_file': 'off',
    'grpc.secret': 'known',
    'grpc.tls.cert_file': join(folder, 'server.crt'),
    'grpc.tls.key_file': join(folder, 'server.key'),
  });
  const tls = { ca: readFileSync(join(folder, 'ca.crt')) };
  const joined = await harness.upstream(closed, '002', () => undefined, {
    access: { secret: 'known', tls },
  });
  expect(closed.router.view().zones[1]?.instances).toHaveLength(1);
  await expect(joined.push({ openid: 'a', type: 'n' })).rejects.toMatchObject({
    code: 'OPENID_OFFLINE',
  });
});
