import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import https from 'node:https';
import { join } from 'node:path';
import { WEBTRANSPORT_CLIENT } from '../../src/bench/client/webtransport-end.js';
import type { Gateway } from '../../src/gateway/gateway.js';
import type { Link } from '../../src/link/link.js';
import type { UpstreamServer } from '../../src/sdk/upstream/index.js';
import { DeployedClient } from '../support/deployed-client.js';
import { DeployedQuic } from '../support/deployed-client-quic.js';
import { GatewayHarness, ZONES } from '../support/gateway-harness.js';
import { until } from '../support/quic-fake-gateway.js';
import { GET, Http3Client, altered } from '../support/http3-client.js';

let harness: GatewayHarness;
let gateway: Gateway;
let upstream: UpstreamServer;
let quic: DeployedQuic;
let clients: Http3Client[];

beforeEach(() => {
  harness = new GatewayHarness();
  clients = [];
  quic = new DeployedQuic(() => `127.0.0.1:${gateway.quicPort}`);
});

afterEach(async () => {
  await quic.stop();
  for (const client of clients) await client.stop();
  await harness.close();
});

const ca = () => readFileSync(join(harness.folder, 'ca.crt'));

async function http3(control?: Buffer): Promise<Http3Client> {
  const client = await Http3Client.connect(gateway.quicPort, ca(), control);
  clients.push(client);
  return client;
}

async function serve(): Promise<void> {
  for (const zone of ZONES) {
    upstream = await harness.upstream(gateway, zone, (server) =>
      server.fallback((request) => Promise.resolve(request.data)),
    );
  }
}

describe('a gateway with HTTP/3', () => {
  test('carries a session from QUIC over HTTP/3 and back, and loses nothing', async () => {
    gateway = await harness.gateway();
    await serve();
    const overHttp3 = async (): Promise<Link> => (await http3()).link();
    const ways = [quic.open, overHttp3, overHttp3, quic.open];
    let way = 0;
    const client = new DeployedClient(() => (ways[way] as typeof quic.open)(), { openid: 'alice' });
    const first = await client.connect();
    for (way = 1; way < ways.length; way++) {
      client.drop();
      for (let count = 0; count < 10; count++) {
        await upstream.push({ openid: 'alice', type: 'x', title: `${way}.${count}` });
      }
      const { connectionId, resumed, recovered } = await client.reconnect();
      expect({ connectionId, resumed, recovered }).toEqual({
        connectionId: first.connectionId,
        resumed: true,
        recovered: true,
      });
      await until(() => client.pushes.length === way * 10);
      expect((await client.request('echo', `over ${way}`)).data).toBe(`over ${way}`);
    }
    expect(client.sequence).toEqual(client.sequence.map((_, at) => (client.sequence[0] ?? 0) + at));
    expect(client.errors).toEqual([]);
    expect(gateway.metrics.ws.connections.of('http3').value).toBe(2);
  });

  test('closes the stream of a client that was replaced with 409, and drains', async () => {
    gateway = await harness.gateway();
    await serve();
    const older = new DeployedClient(async () => (await http3()).link(), { openid: 'bob' });
    await older.connect();
    const newer = new DeployedClient(async () => (await http3()).link(), { openid: 'bob' });
    await newer.connect();
    await until(() => older.closes.length === 1);
    expect(older.closes).toMatchObject([{ code: 409, by: 'peer' }]);
    expect((await newer.request('echo', 'mine')).data).toBe('mine');
    await gateway.stop();
    await until(() => newer.closes.length === 1 && clients.every((one) => one.closed.length === 1));
    expect(new Set(newer.errors.map(({ code }) => code))).toEqual(new Set([503]));
    expect(clients.map(({ closed }) => closed[0]?.code)).toEqual([0x100, 0x100]);
  });

  test('limits the connections of an address, and those that carry no session', async () => {
    gateway = await harness.gateway({ 'overload_protection.address_connections': '2' });
    await serve();
    const overHttp3 = async (): Promise<Link> => (await http3()).link();
    const overWebTransport = async (): Promise<Link> =>
      (await http3(WEBTRANSPORT_CLIENT)).webTransport().link;
    const first = new DeployedClient(overHttp3, { openid: 'a', hello: false });
    const second = new DeployedClient(overWebTransport, { openid: 'b', hello: false });
    await first.connect();
    await second.connect();
    for (const open of [overHttp3, overWebTransport, quic.open]) {
      const third = new DeployedClient(open, { openid: 'c', hello: false });
      await expect(third.connect()).rejects.toMatchObject({ code: 429 });
    }
    // As many again may be there for a page, or for a refusal.
    const allClosed = () => clients.slice(2).every((one) => one.closed.length === 1);
    await until(allClosed);
    const reader = await http3();
    expect((await reader.ask(GET)).status).toBe('200');
    await until(allClosed);
    expect(clients.slice(2).map(({ closed }) => closed[0]?.code)).toEqual([0x100, 0x100, 0x100]);
    for (const client of [first, second]) {
      expect((await client.request('echo', 'still here')).data).toBe('still here');
    }
    expect(gateway.metrics.quic.rejected.of('address_connections').value).toBe(3);
  });

  async function told(): Promise<{ ports: number[]; altSvc: unknown }> {
    const client = await http3();
    const found = await client.ask(altered(GET, { ':path': '/.well-known/gatesvr' }));
    const { transports } = JSON.parse(found.body) as { transports: { port: number }[] };
    const altSvc = await new Promise((done, fail) => {
      const options = { agent: false, port: gateway.wsPort, host: '127.0.0.1', ca: ca() };
      https.get(options, (answer) => done(answer.resume().headers['alt-svc'])).on('error', fail);
    });
    return { ports: transports.map(({ port }) => port), altSvc };
  }

  test('says where it is on WebSocket answers, and of itself', async () => {
    gateway = await harness.gateway({ 'server.ws_addr': '127.0.0.1:0' });
    const { quicPort, wsPort } = gateway;
    const ports = [quicPort, quicPort, quicPort, wsPort];
    expect(await told()).toEqual({ ports, altSvc: `h3=":${quicPort}"; ma=86400` });
  });

  test('says where it is behind a port mapping', async () => {
    gateway = await harness.gateway({
      'server.ws_addr': '127.0.0.1:0',
      'server.advertise_addr': 'gate.example:443',
    });
    const { ports, altSvc } = await told();
    expect(ports.slice(0, 3)).toEqual([443, 443, 443]);
    expect(altSvc).toBe('h3=":443"; ma=86400');
  });

  test('has the playground where that is configured, as the WebSocket port has it', async () => {
    gateway = await harness.gateway({ 'websocket.playground': 'true' });
    const client = await http3();
    const page = await client.ask(altered(GET, { ':path': '/?x' }));
    expect(page.status).toBe('200');
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(page.headers.get('cache-control')).toBe('no-cache');
    expect(page.body).toContain('<title>GateSvr playground</title>');
    const script = await client.ask(altered(GET, { ':path': '/playground/main.js' }));
    expect(script.body.length).toBe(Number(script.headers.get('content-length')));
    const none = await client.ask(altered(GET, { ':path': '/playground/other.js' }));
    expect(none.status).toBe('404');
  });

  test('may be told not to speak it', async () => {
    gateway = await harness.gateway({ 'quic.http3': 'false' });
    await expect(http3()).rejects.toMatchObject({ code: 'HANDSHAKE_FAILED' });
  });
});
