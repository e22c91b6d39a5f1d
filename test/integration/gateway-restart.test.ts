import { createSocket } from 'node:dgram';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import type { Gateway } from '../../src/gateway/gateway.js';
import { zoneOf } from '../../src/routing/zone.js';
import { GatewayClient } from '../../src/sdk/client/index.js';
import { GatewayHarness } from '../support/gateway-harness.js';
import { PATIENCE_MS, PATIENT_CLIENT } from '../support/patience.js';

const OPENID = 'restart';

function clientOf(gateway: Gateway, port = gateway.quicPort): GatewayClient {
  return new GatewayClient({
    ...PATIENT_CLIENT,
    address: `127.0.0.1:${port}`,
    openid: OPENID,
    insecure: true,
    maxDelayMs: 200,
  });
}

describe('a graceful restart', () => {
  const harness = new GatewayHarness();
  afterAll(() => harness.close());

  test('loses no session, no push and no registration; a resumed client sees nothing twice', async () => {
    const first = await harness.gateway();
    const ports = {
      'server.quic_addr': `127.0.0.1:${first.quicPort}`,
      'server.grpc_addr': `127.0.0.1:${first.grpcPort}`,
    };
    const upstream = await harness.upstream(first, zoneOf(OPENID), (server) =>
      server.handle('echo', (request) => ({ data: request.data })),
    );
    const client = clientOf(first);
    const pushes: string[] = [];
    const sessions: { sessionId: string; resumed: boolean; recovered: boolean }[] = [];
    client.onPush((push) => pushes.push(push.text));
    client.on('connected', (connected) => sessions.push(connected));
    await client.connect();
    expect((await client.request('echo', { data: 'one' })).text).toBe('one');
    await upstream.push({ openid: OPENID, type: 't', data: 'before' });

    const stopped = first.stop();
    await stopped;
    expect(statSync(join(harness.folder, 'gateway.state')).mode & 0o777).toBe(0o600);
    const asked = client.request('echo', { data: 'two' });
    const second = await harness.gateway(ports);
    expect(existsSync(join(harness.folder, 'gateway.state'))).toBe(false);
    await upstream.push({ openid: OPENID, type: 't', data: 'after', retryForMs: PATIENCE_MS });
    expect((await asked).text).toBe('two');
    while (pushes.length < 2) await new Promise((resolve) => setTimeout(resolve, 20));

    expect(pushes).toEqual(['before', 'after']);
    expect(sessions.length).toBeGreaterThan(1);
    expect(new Set(sessions.map(({ sessionId }) => sessionId)).size).toBe(1);
    expect(sessions.at(-1)).toMatchObject({ resumed: true, recovered: true });
    expect(second.router.view().zones.flatMap(({ instances }) => instances)).toHaveLength(1);
    await client.stop();
  });

  test('keeps a push for a client that is away', async () => {
    const ports = async () => harness.gateway();
    const first = await ports();
    const upstream = await harness.upstream(first, zoneOf(OPENID), () => undefined);
    const client = clientOf(first);
    await client.connect();
    client.close();
    await upstream.push({ openid: OPENID, type: 't', data: 'while away' });
    await first.stop();
    const second = await ports();
    const back = clientOf(second);
    const arrived = new Promise<string>((resolve) => back.onPush((push) => resolve(push.text)));
    await back.connect();
    expect(await arrived).toBe('while away');
    await back.stop();
  });

  test('a second gateway that fails to start leaves the state of the first alone', async () => {
    const first = await harness.gateway();
    const quicAddr = `127.0.0.1:${first.quicPort}`;
    await expect(harness.gateway({ 'server.quic_addr': quicAddr })).rejects.toThrow(/in use/);
    await harness.stopNewest();
    expect(existsSync(join(harness.folder, 'gateway.state'))).toBe(false);
    await first.stop();
    expect(existsSync(join(harness.folder, 'gateway.state'))).toBe(true);
  });

  test('a start that fails gives back the state it had taken', async () => {
    const first = await harness.gateway();
    const client = clientOf(first);
    await client.connect();
    const { sessionId } = client;
    client.close();
    await first.stop();
    const taken = createSocket('udp4');
    await new Promise<void>((resolve) => taken.bind(0, '127.0.0.1', resolve));
    const quicAddr = `127.0.0.1:${taken.address().port}`;
    await expect(harness.gateway({ 'server.quic_addr': quicAddr })).rejects.toThrow(/in use/);
    await harness.stopNewest();
    taken.close();
    const second = await harness.gateway();
    expect(second.sessions.registry.find(sessionId)).toBeDefined();
  });
});
