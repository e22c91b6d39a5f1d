import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Gateway } from '../../src/gateway/gateway.js';
import { GatewayClient } from '../../src/sdk/client/index.js';
import type { UpstreamServer } from '../../src/sdk/upstream/index.js';
import { GatewayHarness } from '../support/gateway-harness.js';
import { CuttableWire } from '../support/cuttable-wire.js';
import { openidsOfZone } from '../support/upstream-requests.js';
import { until } from '../support/until.js';
import { PATIENCE_MS, PATIENT_CLIENT } from '../support/patience.js';

describe.each([['framed'], ['http2'], ['grpc-js']])('upstreams of both kinds, by %s', (caller) => {
  const harness = new GatewayHarness();
  const clients: GatewayClient[] = [];
  let gateway: Gateway;
  /** Has the same upstreams, and waits for them no longer than the tests that want no answer. */
  let hasty: Gateway;
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
      hung++;
      return new Promise<string>((resolve) =>
        signal.addEventListener('abort', () => {
          cancelled++;
          resolve('nobody hears');
        }),
      );
    });
  };
  let hung = 0;
  let cancelled = 0;

  beforeAll(async () => {
    const gatewayWith = (timeout: string) =>
      harness.gateway({
        'grpc.caller': caller,
        'overload_protection.upstream_timeout': timeout,
        'server.state_file': 'off',
        'routing.registry_file': 'off',
      });
    gateway = await gatewayWith(`${PATIENCE_MS}ms`);
    hasty = await gatewayWith('1s');
    const gateways = [gateway, hasty].map(({ grpcPort }) => `127.0.0.1:${grpcPort}`);
    streaming = await harness.upstream(gateway, '001', prepare, { gateways });
    unary = await harness.upstream(gateway, '002', prepare, { gateways, stream: false });
  });
  afterEach(() => {
    for (const client of clients.splice(0)) client.close();
  });
  afterAll(() => harness.close());

  const member = async (
    zone: '001' | '002' | '003',
    { quicPort } = gateway,
  ): Promise<GatewayClient> => {
    const client = new GatewayClient({
      ...PATIENT_CLIENT,
      address: `127.0.0.1:${quicPort}`,
      openid: openidsOfZone(zone, 1)[0] as string,
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

  /** On a machine that stands still a request may take longer than the hasty gateway waits. */
  const untilEchoed = (client: GatewayClient, data: string): Promise<void> =>
    until(async () => {
      const answer = await client.request('echo', { data }).catch(() => null);
      return answer?.text === data;
    });

  test('a request without an answer is 504, and its handler is told where it can be', async () => {
    cancelled = 0;
    const client = await member('001', hasty);
    await expect(client.request('hang')).rejects.toMatchObject({ status: 504 });
    await until(() => cancelled === 1);
    await untilEchoed(client, 'next');
  });

  test('a stream that breaks costs what is under way, and nothing else', async () => {
    const wire = await CuttableWire.to(streaming.port);
    try {
      // Registers the relay before the streaming upstream as an instance of another zone.
      const advertise = `127.0.0.1:${wire.port}`;
      await harness.upstream(gateway, '003', prepare, { advertise });
      const client = await member('003');
      expect((await client.request('echo', { data: 'one' })).text).toBe('one');
      const before = hung;
      const hanging = client.request('hang');
      const lost = expect(hanging).rejects.toMatchObject({ status: 504 });
      await until(() => hung > before);
      wire.cut();
      await lost;
      await untilEchoed(client, 'two');
    } finally {
      await wire.close();
    }
  });
});
