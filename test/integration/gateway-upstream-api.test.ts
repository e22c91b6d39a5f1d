import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { credentials, loadPackageDefinition } from '@grpc/grpc-js';
import type { ServiceClientConstructor } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type { Gateway } from '../../src/gateway/gateway.js';
import { zoneOf } from '../../src/routing/zone.js';
import { GatewayClient } from '../../src/sdk/client/index.js';
import { GatewayApi } from '../support/gateway-api.js';
import { GatewayHarness } from '../support/gateway-harness.js';
import { until } from '../support/quic-fake-gateway.js';
import { PATIENT_CLIENT } from '../support/patience.js';

describe('the API for upstreams, through the whole gateway', () => {
  const harness = new GatewayHarness();
  const clients: GatewayClient[] = [];
  let gateway: Gateway;
  let api: GatewayApi;

  beforeAll(async () => {
    gateway = await harness.gateway();
    api = new GatewayApi(`127.0.0.1:${gateway.grpcPort}`);
  });
  afterAll(async () => {
    for (const client of clients) client.close();
    api.close();
    await harness.close();
  });

  async function online(openid: string) {
    const client = new GatewayClient({
      ...PATIENT_CLIENT,
      address: `127.0.0.1:${gateway.quicPort}`,
      openid,
      insecure: true,
    });
    clients.push(client);
    const titles: string[] = [];
    const ends: { reason: string; error: Error | null }[] = [];
    client.onPush(({ title }) => titles.push(title));
    client.on('closed', (end) => ends.push(end));
    await client.connect();
    return { titles, ends };
  }

  const openid = (targetId: string) => ({ target_type: 'openid', target_id: targetId });

  test('GetClient: who is there, since when, where', async () => {
    const before = Date.now();
    await online('ann');
    const found = await api.call('GetClient', openid('ann'));
    expect(found).toMatchObject({
      success: true,
      online: true,
      openid: 'ann',
      zone: zoneOf('ann'),
      transport: 'quic',
      remote_address: expect.stringMatching(/127\.0\.0\.1:\d+/),
    });
    expect(Number(found['connected_at'])).toBeGreaterThanOrEqual(before - 1_000);
    const target = { target_type: 'session', target_id: found['session_id'] };
    expect(await api.call('GetClient', target)).toMatchObject({ openid: 'ann', online: true });
    expect(await api.call('GetClient', openid('nobody'))).toMatchObject({
      success: true,
      online: false,
    });
  });

  test('PushBatch: an answer for every push, keys per item', async () => {
    const [ben, cid] = await Promise.all([online('ben'), online('cid')]);
    const batch = {
      pushes: [
        { ...openid('ben'), msg_type: 'n', title: 'single', idempotency_key: 'one' },
        { ...openid('nobody'), msg_type: 'n', title: 'lost' },
      ],
      push: { msg_type: 'n', title: 'many' },
      targets: [{ ...openid('ben'), idempotency_key: 'two' }, openid('cid')],
    };
    const response = await api.call('PushBatch', batch);
    expect(response).toMatchObject({
      accepted: 3,
      results: [
        { success: true },
        { success: false, error_code: 'OPENID_OFFLINE' },
        { success: true },
        { success: true },
      ],
    });
    await api.call('PushBatch', batch);
    await until(() => ben.titles.length === 2 && cid.titles.length === 2);
    expect(ben.titles).toEqual(['single', 'many']);
    expect(cid.titles).toEqual(['many', 'many']);
  });

  test('a broadcast to some', async () => {
    const [dan, eve] = await Promise.all([online('dan'), online('eve')]);
    const request = { msg_type: 'n', title: 'some', openids: ['dan', 'nobody'] };
    expect(await api.call('BroadcastToClients', request)).toMatchObject({ sent_count: 1 });
    expect(await api.call('BroadcastToClients', { ...request, zone_ids: ['9'] })).toMatchObject({
      sent_count: 0,
      message: expect.stringContaining('INVALID_ZONE_ID'),
    });
    await until(() => dan.titles.length === 1);
    expect(eve.titles).toEqual([]);
  });

  test('KickClient: the client is refused and stays away', async () => {
    const { ends } = await online('fay');
    const kick = { ...openid('fay'), reason: 'cheating' };
    expect(await api.call('KickClient', kick)).toMatchObject({ success: true });
    await until(() => ends.length === 1);
    expect(ends[0]).toMatchObject({ reason: 'refused' });
    expect(ends[0]?.error?.message).toContain('403');
    expect(await api.call('GetClient', openid('fay'))).toMatchObject({ session_id: '' });
    expect(await api.call('KickClient', kick)).toMatchObject({ error_code: 'OPENID_OFFLINE' });
  });

  test('DeregisterUpstream takes an instance out at once', async () => {
    const entry = { address: '127.0.0.1:1', zone_id: '006', service_name: 's' };
    expect(await api.call('RegisterUpstream', entry)).toMatchObject({ success: true });
    const instances = () =>
      gateway.router.view().zones.find(({ zone }) => zone === '006')?.instances;
    expect(instances()).toHaveLength(1);
    expect(await api.call('DeregisterUpstream', { ...entry, zone_id: '005' })).toMatchObject({
      success: false,
      error_code: 'NOT_REGISTERED',
    });
    // Without a host it means the caller's.
    expect(await api.call('DeregisterUpstream', { address: ':1', zone_id: '006' })).toMatchObject({
      success: true,
    });
    expect(instances()).toHaveLength(0);
    expect(await api.call('DeregisterUpstream', { address: 'x', zone_id: '006' })).toMatchObject({
      error_code: 'INVALID_ADDRESS',
    });
  });

  test('grpc.health.v1: Check, and Watch until the gateway stops', async () => {
    const other = await harness.gateway({
      'server.state_file': 'off',
      'routing.registry_file': 'off',
    });
    const its = new GatewayApi(`127.0.0.1:${other.grpcPort}`);
    try {
      expect(await its.check()).toMatchObject({ status: 1 });
      await expect(its.check('other')).rejects.toMatchObject({ code: 5 });
      const seen: unknown[] = [];
      const watch = its.watch((status) => seen.push(status));
      await until(() => seen.length === 1);
      await other.stop();
      await watch.ended;
      expect(seen).toEqual([1, 2]);
    } finally {
      its.close();
    }
  });

  test.each(['v1', 'v1alpha'])(
    'reflection %s tells the services and describes them',
    async (version) => {
      const library = dirname(createRequire(import.meta.url).resolve('@grpc/reflection'));
      const file = join(library, '..', 'proto', 'grpc', 'reflection', version, 'reflection.proto');
      const { grpc } = loadPackageDefinition(loadSync(file, { keepCase: true })) as unknown as {
        grpc: { reflection: Record<string, { ServerReflection: ServiceClientConstructor }> };
      };
      const Reflection = grpc.reflection[version]?.ServerReflection as ServiceClientConstructor;
      const client = new Reflection(`127.0.0.1:${gateway.grpcPort}`, credentials.createInsecure());
      type Answer = {
        list_services_response?: { service: { name: string }[] };
        file_descriptor_response?: { file_descriptor_proto: Buffer[] };
      };
      const stream = (
        client as unknown as Record<string, () => NodeJS.ReadWriteStream & { end(): void }>
      )['ServerReflectionInfo']?.call(client);
      const answers: Answer[] = [];
      stream?.on('data', (answer) => answers.push(answer as unknown as Answer));
      stream?.write({ list_services: '' } as unknown as string);
      stream?.write({
        file_containing_symbol: 'gatesvr.proto.GatewayService',
      } as unknown as string);
      await until(() => answers.length === 2);
      stream?.end();
      client.close();
      const names = answers[0]?.list_services_response?.service.map(({ name }) => name).sort();
      expect(names).toEqual(['gatesvr.proto.GatewayService', 'grpc.health.v1.Health']);
      const [described] = answers[1]?.file_descriptor_response?.file_descriptor_proto ?? [];
      expect(described?.includes('KickClient')).toBe(true);
    },
  );
});
