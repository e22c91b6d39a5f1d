import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Gateway } from '../../src/gateway/gateway.js';
import { zoneOf } from '../../src/routing/zone.js';
import { GatewayClient } from '../../src/sdk/client/index.js';
import type { UpstreamServer } from '../../src/sdk/upstream/index.js';
import { GatewayHarness } from '../support/gateway-harness.js';
import { until } from '../support/quic-fake-gateway.js';
import { PATIENCE_MS, PATIENT_CLIENT } from '../support/patience.js';

let harness: GatewayHarness;
let gateway: Gateway;
let upstream: UpstreamServer;
let alice: GatewayClient;
let executed: string[];

beforeEach(async () => {
  harness = new GatewayHarness();
  executed = [];
  gateway = await harness.gateway();
  upstream = await harness.upstream(gateway, zoneOf('alice'), (server) =>
    server.fallback(async (request) => {
      executed.push(request.text);
      if (request.action === 'slow') await new Promise((resolve) => setTimeout(resolve, 500));
      return request.data;
    }),
  );
});

afterEach(async () => {
  alice.close();
  await harness.close();
});

describe('a gateway that is restarted', () => {
  test('tells the client to move: what is in flight is answered, the rest waits for the next gateway', async () => {
    const log: string[] = [];
    alice = new GatewayClient({
      ...PATIENT_CLIENT,
      address: `127.0.0.1:${gateway.quicPort}`,
      openid: 'alice',
      ca: readFileSync(join(harness.folder, 'ca.crt')),
      maxDelayMs: 200,
    });
    alice.on('moving', ({ delay }) => log.push(delay > 0 ? 'moving' : 'moving at once'));
    alice.on('connected', ({ resumed, recovered }) =>
      log.push(`connected ${resumed} ${recovered}`),
    );
    const pushes: string[] = [];
    alice.onPush(({ title }) => pushes.push(title));
    await alice.connect();
    const slow = alice.request('slow', { data: 'in flight' });
    await until(() => executed.length === 1);
    const { quicPort, grpcPort } = gateway;
    const stopping = gateway.stop();
    await until(() => log.includes('moving'));
    const later = alice.request('echo', { data: 'later' });
    expect((await slow).text).toBe('in flight');
    await stopping;
    expect(executed).toEqual(['in flight']);
    gateway = await harness.gateway({
      'server.quic_addr': `127.0.0.1:${quicPort}`,
      'server.grpc_addr': `127.0.0.1:${grpcPort}`,
    });
    expect((await later).text).toBe('later');
    // Its channel may not have heard yet that the gateway is back.
    const push = { openid: 'alice', type: 'n', title: 'after', retryForMs: PATIENCE_MS };
    await upstream.push(push);
    await until(() => pushes.length === 1);
    expect(log).toEqual(['connected false true', 'moving', 'connected true true']);
    expect(executed).toEqual(['in flight', 'later']);
  });
});
