import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Gateway } from '../../src/gateway/gateway.js';
import { GatewayClient } from '../../src/sdk/client/index.js';
import type { UpstreamServer } from '../../src/sdk/upstream/index.js';
import { GatewayHarness } from '../support/gateway-harness.js';
import { CuttableWire } from '../support/cuttable-wire.js';
import { openidsOfZone } from '../support/upstream-requests.js';
import { until } from '../support/until.js';
import { PATIENT_CLIENT } from '../support/patience.js';

describe.each([['framed'], ['http2'], ['grpc-js']])('upstreams of both kinds, by %s', (caller) => {
  const harness = new GatewayHarness();
  const clients: GatewayClient[] = [];
  let gateway: Gateway;
  let streaming: UpstreamServer;
  let unary: UpstreamServer;

  const prepare = (server: UpstreamServer): void => {
    server.handle('echo', ({ text }) => text);
    server.handle('story', async (request) => {
      await request.pushBefore({ type: 'story', title: 'before' });
      await request.pushAfter({ type: 'story', title: 'after' });
      return 'middle';
    });
    server.handle('patience', (request) => String(request.timeoutMs > 0));
    server.handle('hang', ({ signal }) => {
      return new Promise<string>((resolve) =>
        signal.addEventListener('abort', () => {
          cancelled++;
          resolve('nobody hears');
        }),
      );
    });
  };
  let cancelled = 0;

  beforeAll(async () => {
    gateway = await harness.gateway({
      'grpc.caller': caller,
      'overload_protection.upstream_timeout': '1s',
    });
    streaming = await harness.upstream(gateway, '001', prepare);
    unary = await harness.upstream(gateway, '002', prepare, { stream: false });
  });
  afterEach(() => {
    for (const client of clients.splice(0)) client.close();
  });
  afterAll(() => harness.close());

  const member = async (zone: '001' | '002', index = 0): Promise<GatewayClient> => {
    const client = new GatewayClient({
      ...PATIENT_CLIENT,
      address: `127.0.0.1:${gateway.quicPort}`,
      openid: openidsOfZone(zone, index + 1)[index] as string,
      insecure: true,
    });
    clients.push(client);
    await client.connect();
    return client;
  };

  test('answer the same; the one that can is called over a stream', async () => {
    for (const zone of ['001', '002'] as const) {
      const client = await member(zone);
      const texts = Array.from({ length: 40 }, (_, index) => `${zone} ${index}`);
      const answers = await Promise.all(texts.map((data) => client.request('echo', { data })));
      expect(answers.map(({ text }) => text)).toEqual(texts);
      expect((await client.request('patience')).text).toBe(String(zone === '001'));
    }
    expect([streaming.port, unary.port].every((port) => port > 0)).toBe(true);
  });

  test('pushes bound to a request keep their place around its answer', async () => {
    for (const zone of ['001', '002'] as const) {
      const client = await member(zone);
      const told: string[] = [];
      client.on('push', ({ message }) => void told.push(message));
      await client.request('story').then(({ text }) => told.push(text));
      await until(() => told.length === 3);
      expect(told).toEqual(['[story] before', 'middle', '[story] after']);
    }
  });

  test('a request without an answer is 504, and its handler is told where it can be', async () => {
    cancelled = 0;
    const client = await member('001');
    await expect(client.request('hang')).rejects.toMatchObject({ status: 504 });
    await until(() => cancelled === 1);
    expect((await client.request('echo', { data: 'next' })).text).toBe('next');
  });

  test('a stream that breaks costs what is under way, and nothing else', async () => {
    const wire = await CuttableWire.to(streaming.port);
    try {
      // Registers the relay before the streaming upstream as an instance of another zone.
      const advertise = `127.0.0.1:${wire.port}`;
      await harness.upstream(gateway, '003', prepare, { advertise });
      const openid = openidsOfZone('003', 1)[0] as string;
      const client = new GatewayClient({
        ...PATIENT_CLIENT,
        address: `127.0.0.1:${gateway.quicPort}`,
        openid,
        insecure: true,
      });
      clients.push(client);
      await client.connect();
      expect((await client.request('echo', { data: 'one' })).text).toBe('one');
      const hanging = client.request('hang');
      const lost = expect(hanging).rejects.toMatchObject({ status: 504 });
      await new Promise((resolve) => setTimeout(resolve, 50));
      wire.cut();
      await lost;
      await until(async () => {
        const answer = await client.request('echo', { data: 'two' }).catch(() => null);
        return answer?.text === 'two';
      });
    } finally {
      await wire.close();
    }
  });
});
