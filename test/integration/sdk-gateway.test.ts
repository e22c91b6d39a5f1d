import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Gateway } from '../../src/gateway/gateway.js';
import type { Link } from '../../src/link/link.js';
import { GatewayClient, QuicTransport } from '../../src/sdk/client/index.js';
import type { GatewayClientOptions } from '../../src/sdk/client/index.js';
import type { UpstreamServer } from '../../src/sdk/upstream/index.js';
import { DeployedClient } from '../support/deployed-client.js';
import { DeployedQuic } from '../support/deployed-client-quic.js';
import { GatewayHarness, ZONES } from '../support/gateway-harness.js';
import { until } from '../support/quic-fake-gateway.js';
import { PATIENT_CLIENT } from '../support/patience.js';

let harness: GatewayHarness;
let gateway: Gateway;
let upstream: UpstreamServer;
let quic: DeployedQuic;
let clients: GatewayClient[];
/** Every execution that an upstream saw, as `openid action data`. */
let executed: string[];

beforeEach(async () => {
  harness = new GatewayHarness();
  clients = [];
  executed = [];
  gateway = await harness.gateway();
  for (const zone of ZONES) upstream = await harness.upstream(gateway, zone, serve);
  quic = new DeployedQuic(() => address());
});

afterEach(async () => {
  for (const client of clients) client.close();
  await quic.stop();
  await harness.close();
});

const address = (): string => `127.0.0.1:${gateway.quicPort}`;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function serve(server: UpstreamServer): void {
  server.fallback(async (request) => {
    executed.push(`${request.openid} ${request.action} ${request.text}`);
    if (request.action === 'slow') await pause(300);
    if (request.action === 'around') {
      await request.pushBefore({ type: 'b', title: request.text });
      await request.pushAfter({ type: 'a', title: request.text });
    }
    return request.data;
  });
}

/** A client whose connections the test can cut. */
function client(openid: string, options: Partial<GatewayClientOptions> = {}) {
  const links: Link[] = [];
  const transport = new QuicTransport({ ca: readFileSync(join(harness.folder, 'ca.crt')) });
  const made = new GatewayClient({
    ...PATIENT_CLIENT,
    address: address(),
    openid,
    transport: {
      name: 'QUIC',
      open: async (to, signal) => {
        const link = await transport.open(to, signal);
        links.push(link);
        return link;
      },
    },
    ...options,
  });
  clients.push(made);
  const log: string[] = [];
  made.on('connected', ({ resumed, recovered }) =>
    log.push(`${resumed ? 'resumed' : 'new'} ${recovered ? 'whole' : 'holes'}`),
  );
  made.on('error', (error) => log.push(error.message));
  const pushes: string[] = [];
  made.onPush(({ title }) => pushes.push(title));
  return { client: made, log, pushes, cut: () => links.at(-1)?.close(0, 'cut by the test') };
}

describe('client and upstream SDK at a real gateway', () => {
  test('requests, pushes and their order', async () => {
    const { client: alice, pushes } = client('alice');
    const order: string[] = [];
    alice.onPush(({ type, title }) => order.push(`${type} ${title}`));
    await alice.connect();
    const asked = Array.from({ length: 30 }, (_, n) =>
      alice.request('around', { data: `${n}` }).then(({ text }) => order.push(`answer ${text}`)),
    );
    await Promise.all(asked);
    await until(() => order.length === 90);
    for (let n = 0; n < 30; n++) {
      const at = [`b ${n}`, `answer ${n}`, `a ${n}`].map((entry) => order.indexOf(entry));
      expect(at).toEqual([...at].sort((left, right) => left - right));
    }
    await upstream.push({ openid: 'alice', type: 'x', title: 'by openid' });
    await upstream.push({ sessionId: alice.sessionId, type: 'x', title: 'by session' });
    expect(await upstream.broadcast({ type: 'x', title: 'to all' })).toBe(1);
    await until(() => pushes.length === 63);
    expect(pushes.slice(60)).toEqual(['by openid', 'by session', 'to all']);
  });

  test('connections cut again and again lose nothing and execute nothing twice', async () => {
    const { client: bob, pushes, log, cut } = client('bob', { maxDelayMs: 50, minDelayMs: 10 });
    await bob.connect();
    const answers: Promise<string>[] = [];
    const pushed: Promise<void>[] = [];
    for (let n = 0; n < 60; n++) {
      const action = n % 10 === 0 ? 'slow' : 'echo';
      answers.push(bob.request(action, { data: `${n}` }).then(({ text }) => text));
      pushed.push(upstream.push({ openid: 'bob', type: 'n', title: `${n}` }));
      if (n % 12 === 6) cut();
      await pause(5);
    }
    expect(await Promise.all(answers)).toEqual(answers.map((_, n) => `${n}`));
    await Promise.all(pushed);
    await until(() => pushes.length === 60);
    expect(pushes).toEqual(pushes.map((_, n) => `${n}`));
    expect(new Set(executed).size).toBe(60);
    expect(executed).toHaveLength(60);
    expect(log[0]).toBe('new whole');
    expect(new Set(log.slice(1))).toEqual(new Set(['resumed whole']));
  });

  test('a restarted gateway is resumed, with what was pushed before it stopped', async () => {
    const { client: carol, pushes, log } = client('carol');
    await carol.connect();
    await carol.request('echo', { data: 'before' });
    const port = gateway.quicPort;
    await gateway.stop();
    await until(() => carol.state === 'reconnecting');
    const waiting = carol.request('echo', { data: 'after' });
    gateway = await harness.gateway({ 'server.quic_addr': `127.0.0.1:${port}` });
    expect((await waiting).text).toBe('after');
    expect(log).toEqual(['new whole', 'resumed whole']);
    expect(pushes).toEqual([]);
    expect(executed).toEqual(['carol echo before', 'carol echo after']);
  });

  test('the newer of two clients with one openid takes the session, the older ends', async () => {
    const first = client('dave');
    const second = client('dave');
    const ends: string[] = [];
    first.client.on('closed', ({ reason }) => ends.push(reason));
    await first.client.connect();
    await second.client.connect();
    await until(() => first.client.state === 'closed');
    expect(ends).toEqual(['replaced']);
    expect((await second.client.request('echo', { data: 'mine' })).text).toBe('mine');
  });

  test('after stop the session is over, after close it waits', async () => {
    const first = client('erin');
    await first.client.connect();
    await first.client.stop('user_logout');
    const { sessionId } = first.client;
    await expect(upstream.push({ sessionId, type: 'x' })).rejects.toMatchObject({
      code: 'SESSION_NOT_FOUND',
    });
    const second = client('erin');
    await second.client.connect();
    second.client.close();
    await upstream.push({ sessionId: second.client.sessionId, type: 'x', title: 'kept' });
    const third = client('erin');
    await third.client.connect();
    await until(() => third.pushes.length === 1);
    expect(third.pushes).toEqual(['kept']);
  });
});

describe('a deployed client at a real gateway', () => {
  test('is served from START to STOP, over reconnects with holes and a restart', async () => {
    const frank = new DeployedClient(quic.open, { openid: 'frank' });
    await frank.connect();
    expect((await frank.request('echo', 'one')).data).toBe('one');
    frank.drop();
    await upstream.push({ openid: 'frank', type: 'x', title: 'missed' });
    frank.loseOneRequest();
    await frank.reconnect();
    await until(() => frank.pushes.length === 1);
    expect((await frank.request('echo', 'two')).data).toBe('two');
    await frank.restart();
    expect((await frank.request('echo', 'three')).data).toBe('three');
    expect(frank.errors).toEqual([]);
    const { sequence } = frank;
    expect(sequence).toEqual(sequence.map((_, index) => (sequence[0] as number) + index));
    frank.stop();
    await until(() => gateway.sessions.connectionCount === 0);
    await expect(upstream.push({ openid: 'frank', type: 'x' })).rejects.toMatchObject({
      code: 'OPENID_OFFLINE',
    });
  });
});
