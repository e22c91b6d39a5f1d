import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Gateway } from '../../src/gateway/gateway.js';
import { zoneOf } from '../../src/routing/zone.js';
import { GatewayClient } from '../../src/sdk/client/index.js';
import type { UpstreamServer } from '../../src/sdk/upstream/index.js';
import { GatewayHarness, ZONES } from '../support/gateway-harness.js';
import { until } from '../support/until.js';
import { PATIENCE_MS, PATIENT_CLIENT } from '../support/patience.js';

/** An openid of each zone. */
const MEMBERS = new Map(
  ZONES.map((zone) => {
    for (let index = 0; ; index++) {
      if (zoneOf(`member-${index}`) === zone) return [zone, `member-${index}`] as const;
    }
  }),
);

describe('requests through the whole gateway', () => {
  const harness = new GatewayHarness();
  const clients: GatewayClient[] = [];
  let gateway: Gateway;
  /** Has the same upstreams, and does not wait for them for long. */
  let hasty: Gateway;

  beforeAll(async () => {
    const gatewayWith = (timeout: string) =>
      harness.gateway({
        'overload_protection.upstream_timeout': timeout,
        'server.state_file': 'off',
        'routing.registry_file': 'off',
      });
    gateway = await gatewayWith(`${PATIENCE_MS}ms`);
    hasty = await gatewayWith('500ms');
  });
  afterAll(async () => {
    for (const client of clients) client.close();
    await harness.close();
  });

  async function member(zone: string, { quicPort } = gateway): Promise<GatewayClient> {
    const client = new GatewayClient({
      ...PATIENT_CLIENT,
      address: `127.0.0.1:${quicPort}`,
      openid: MEMBERS.get(zone as (typeof ZONES)[number]) as string,
      insecure: true,
      refusedRetries: 0,
    });
    clients.push(client);
    await client.connect();
    return client;
  }

  test('a zone without an upstream is 503, the connection stays', async () => {
    const client = await member('006');
    await expect(client.request('echo')).rejects.toMatchObject({ status: 503 });
    expect(client.state).toBe('connected');
  });

  test("each openid reaches its own zone's upstream", async () => {
    const gateways = [gateway, hasty].map(({ grpcPort }) => `127.0.0.1:${grpcPort}`);
    for (const zone of ZONES) {
      const handlers = (server: UpstreamServer) =>
        server
          .handle('zone', (request) => ({ data: `${zone}:${request.openid}` }))
          .handle('hang', () => new Promise<string>(() => undefined));
      await harness.upstream(gateway, zone, handlers, { gateways });
    }
    for (const [zone, openid] of MEMBERS) {
      const client = await member(zone);
      expect((await client.request('zone')).text).toBe(`${zone}:${openid}`);
    }
  });

  test('an upstream that hangs is 504 for that request only, its late answer is discarded', async () => {
    const client = await member('001', hasty);
    // On a machine that stands still any request may take longer than this gateway waits.
    const answered = () =>
      until(async () => {
        const answer = await client.request('zone').catch(() => null);
        return answer?.text.startsWith('001:') === true;
      });
    const hanging = expect(client.request('hang')).rejects.toMatchObject({ status: 504 });
    await answered();
    await hanging;
    await answered();
  });

  test('an upstream that dies is a failure, not a hang; a new one takes over its zone', async () => {
    const dying = await harness.upstream(gateway, '002', (server) =>
      server.handle('zone', () => ({ data: 'second instance' })),
    );
    const client = await member('002');
    await dying.stop();
    for (let attempt = 0; attempt < 10; attempt++) {
      const outcome = await client.request('zone').then(
        (answer) => answer.code,
        (error: { status: unknown }) => error.status,
      );
      expect([200, 502, 503]).toContain(outcome);
    }
    expect((await client.request('zone')).text).toContain('002:');
  });
});
