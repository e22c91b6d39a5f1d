import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Gateway } from '../../src/gateway/gateway.js';
import { zoneOf } from '../../src/routing/zone.js';
import { GatewayClient } from '../../src/sdk/client/index.js';
import type { GatewayClientOptions } from '../../src/sdk/client/index.js';
import type { UpstreamServer } from '../../src/sdk/upstream/index.js';
import { ErrorCode } from '../../src/wire/error-catalogue.js';
import { GatewayHarness } from '../support/gateway-harness.js';
import { until } from '../support/quic-fake-gateway.js';
import { UdpProxy } from '../../src/bench/load/udp-proxy.js';
import { PATIENT_CLIENT } from '../support/patience.js';

let harness: GatewayHarness;
let gateway: Gateway;
let upstream: UpstreamServer;
let proxy: UdpProxy;
let clients: GatewayClient[];
let executed: string[];

beforeEach(async () => {
  harness = new GatewayHarness();
  clients = [];
  executed = [];
  gateway = await harness.gateway({ 'server.ws_addr': '127.0.0.1:0' });
  upstream = await harness.upstream(gateway, zoneOf('alice'), (server) =>
    server.fallback((request) => {
      executed.push(request.text);
      return request.data;
    }),
  );
  proxy = await UdpProxy.start({ targetPort: gateway.quicPort });
});

afterEach(async () => {
  for (const client of clients) client.close();
  await proxy.close();
  await harness.close();
});

/** A client whose UDP goes through the proxy and whose TCP goes to the gateway itself. */
function client(options: Partial<GatewayClientOptions> = {}) {
  const made = new GatewayClient({
    ...PATIENT_CLIENT,
    address: `127.0.0.1:${proxy.port}`,
    webSocketPort: gateway.wsPort,
    openid: 'alice',
    ca: readFileSync(join(harness.folder, 'ca.crt')),
    transport: 'auto',
    minDelayMs: 10,
    maxDelayMs: 50,
    ...options,
  });
  clients.push(made);
  const log: string[] = [];
  made.on('connected', ({ resumed, recovered, transport }) =>
    log.push(`${transport} ${resumed ? 'resumed' : 'new'} ${recovered ? 'whole' : 'holes'}`),
  );
  const pushes: string[] = [];
  made.onPush(({ title }) => pushes.push(title));
  /** Ends the connection from the gateway's side; the session waits. */
  const cut = () =>
    gateway.sessions.registry.findByOpenid('alice')?.currentChannel?.drop(ErrorCode.Overloaded, '');
  return { client: made, log, pushes, cut };
}

describe('a client that may use either transport', () => {
  test('leaves QUIC when UDP is blocked: session, requests and pushes go on over WebSocket', async () => {
    const { client: alice, log, pushes } = client();
    await alice.connect();
    expect(alice.transport).toBe('quic');
    const answers: Promise<string>[] = [];
    const ask = (text: string) =>
      answers.push(alice.request('echo', { data: text }).then((answer) => answer.text));
    for (let n = 0; n < 10; n++) ask(`${n}`);
    await Promise.all(answers);
    proxy.blackhole(true);
    for (let n = 10; n < 20; n++) ask(`${n}`);
    for (let n = 0; n < 5; n++) {
      await upstream.push({ openid: 'alice', type: 'n', title: `${n}` });
    }
    expect(await Promise.all(answers)).toEqual(answers.map((_, n) => `${n}`));
    await until(() => pushes.length === 5);
    expect(pushes).toEqual(['0', '1', '2', '3', '4']);
    expect(log).toEqual(['quic new whole', 'websocket resumed whole']);
    expect(executed).toEqual(answers.map((_, n) => `${n}`));
    expect(alice.transport).toBe('websocket');
  });

  test('starts over WebSocket where UDP never worked, and goes there at once the next time', async () => {
    proxy.blackhole(true);
    const { client: alice, log, cut } = client();
    await alice.connect();
    expect((await alice.request('echo', { data: 'hello' })).text).toBe('hello');
    const tried = proxy.counters.toServer.received;
    expect(tried).toBeGreaterThan(0);
    cut();
    await until(() => log.length === 2 && alice.state === 'connected');
    expect((await alice.request('echo', { data: 'again' })).text).toBe('again');
    expect(log).toEqual(['websocket new whole', 'websocket resumed whole']);
    // Not even tried: on a blackholed path the first datagrams of QUIC would show at the proxy.
    expect(proxy.counters.toServer.received).toBe(tried);
  });

  test('over WebSocket alone', async () => {
    const { client: alice, pushes } = client({ transport: 'websocket' });
    await alice.connect();
    await upstream.push({ openid: 'alice', type: 'n', title: 'hello' });
    await until(() => pushes.length === 1);
    const text = 'x'.repeat(300_000);
    expect((await alice.request('echo', { data: text })).text).toBe(text);
    expect(proxy.counters.toServer.received).toBe(0);
    await alice.stop();
    await until(() => gateway.sessions.connectionCount === 0);
  });

  test('says what is wrong where neither works', async () => {
    proxy.blackhole(true);
    const { client: alice } = client({
      webSocketPort: 1,
      connectTimeoutMs: 1_000,
      openTimeoutMs: 800,
    });
    await expect(alice.connect()).rejects.toThrow(/cannot connect to 127\.0\.0\.1:\d+ within/);
    const { client: bob } = client({
      transport: 'websocket',
      webSocketPort: 1,
      connectTimeoutMs: 4_000,
    });
    await expect(bob.connect()).rejects.toThrow(/no WebSocket to 127\.0\.0\.1:1: .*ECONNREFUSED/);
  });
});
