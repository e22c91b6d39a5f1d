import { mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { Gateway } from '../../src/gateway/gateway.js';
import { zoneOf } from '../../src/routing/zone.js';
import { GatewayClient } from '../../src/sdk/client/index.js';
import type { UpstreamServer } from '../../src/sdk/upstream/index.js';
import { UnicastPushRequest } from '../../src/wire/messages.js';
import { registerSwitchCommand } from '../../src/cli/switch.js';
import { CliRun } from '../support/cli-run.js';
import { GatewayPair } from '../support/gateway-pair.js';
import { ask } from '../support/ops-double.js';
import { eventually } from '../support/quic-harness.js';
import { PATIENT_CLIENT } from '../support/patience.js';

const OPENID = 'of-a-pair';
let pair: GatewayPair;
const clients: GatewayClient[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) await client.stop().catch(() => undefined);
  await pair.close();
});

async function start(settings: Record<string, string> = {}): Promise<void> {
  pair = new GatewayPair(settings);
  await pair.start();
}

/** A client of both, with what it was pushed and whether each of its connections recovered. */
function clientOf(...gateways: Gateway[]) {
  const addresses = gateways.map(({ quicPort }) => `127.0.0.1:${quicPort}`);
  const client = new GatewayClient({
    ...PATIENT_CLIENT,
    addresses,
    openid: OPENID,
    insecure: true,
    maxDelayMs: 200,
  });
  const pushes: string[] = [];
  const recovered: boolean[] = [];
  const seqs: number[] = [];
  client.onPush((push) => {
    pushes.push(push.text);
    seqs.push(push.seq);
  });
  client.on('connected', (connected) => recovered.push(connected.recovered));
  clients.push(client);
  return { client, pushes, recovered, seqs };
}

/** Two planned switches. */
async function thereAndBack(): Promise<void> {
  pair.a.pair?.switchTo('backup');
  await pair.inSync('b');
  pair.b.pair?.switchTo('backup');
  await pair.inSync('a');
}

async function upstreamOf(...gateways: Gateway[]): Promise<UpstreamServer> {
  const [first] = gateways as [Gateway];
  const addresses = gateways.map(({ grpcPort }) => `127.0.0.1:${grpcPort}`);
  return pair.harness.upstream(
    first,
    zoneOf(OPENID),
    (server) => server.handle('echo', ({ data }) => ({ data })),
    { gateways: addresses },
  );
}

/** Asks a gateway for a planned switch. */
async function post(gateway: Gateway, mode: string): Promise<[number, unknown]> {
  const path = `/backup/switch?mode=${mode}`;
  const { status, text } = await ask({ port: gateway.httpPort, path, method: 'POST' });
  return [status, JSON.parse(text)];
}

describe.each([{ 'backup.sync.mode': 'async' }, { 'backup.sync.mode': 'sync' }])(
  'a pair in %j',
  (settings) => {
    test('the backup takes over: sessions resume, pushes arrive once, requests go on', async () => {
      await start(settings);
      const upstream = await upstreamOf(pair.a, pair.b);
      const { client, pushes, recovered, seqs } = clientOf(pair.a, pair.b);
      await client.connect();
      expect((await client.request('echo', { data: 'one' })).text).toBe('one');
      await upstream.push({ openid: OPENID, type: 't', data: 'before' });
      await eventually(() => pushes.length === 1, 'the first push');
      await eventually(() => pair.b.pair?.stats?.position === pair.a.pair?.stats?.position, 'copy');

      pair.cut = true;
      await pair.serves('b');
      expect(pair.b.sessions.registry.size).toBe(1);
      expect(pair.b.pair?.epochs.current).toBe(2);
      await pair.a.stop();
      expect((await client.request('echo', { data: 'two' })).text).toBe('two');
      await upstream.push({ openid: OPENID, type: 't', data: 'after' });
      await eventually(() => pushes.length === 2, 'the second push');
      expect(pushes).toEqual(['before', 'after']);
      expect(recovered).toEqual([true, true]);
      expect(seqs[1]).toBeGreaterThan(2 ** 32);
    });
  },
);

describe('a pair', () => {
  test('a planned switch loses nothing, jumps no number, and the former primary follows', async () => {
    await start({ 'backup.sync.mode': 'sync', 'server.http_addr': '127.0.0.1:0' });
    const upstream = await upstreamOf(pair.a, pair.b);
    const { client, pushes, recovered, seqs } = clientOf(pair.a, pair.b);
    await client.connect();
    await upstream.push({ openid: OPENID, type: 't', data: 'before' });
    const refused = await post(pair.a, 'primary');
    expect(refused).toEqual([409, { error: 'this gateway is primary already' }]);
    expect((await post(pair.b, 'primary'))[0]).toBe(202);
    const pushing = (async () => {
      for (let index = 0; index < 20; index++) {
        const data = `p${index}`;
        await upstream.push({ openid: OPENID, type: 't', data, retryForMs: 20_000 });
      }
    })();
    await pair.serves('b');
    await pushing;
    expect((await client.request('echo', { data: 'two' })).text).toBe('two');
    await eventually(() => pushes.length === 21, 'all pushes');
    expect(pushes).toEqual(['before', ...Array.from({ length: 20 }, (_, index) => `p${index}`)]);
    expect(recovered).not.toContain(false);
    expect(Math.max(...seqs)).toBeLessThan(100);
    await pair.inSync('b');
    expect([pair.a.pair?.state, pair.a.sessions.registry.size]).toEqual(['backup', 0]);
  });

  test.each([
    ['a promoted backup', false],
    ['one that was the primary before', true],
  ])('%s asks again what has no answer, where upstreams recognise it', async (_, wasPrimary) => {
    await start();
    if (wasPrimary) await thereAndBack();
    let runs = 0;
    let finish: () => void = () => undefined;
    const finished = new Promise<void>((resolve) => (finish = resolve));
    const handlers = (server: UpstreamServer) =>
      server.handle('slow', async () => {
        runs++;
        await finished;
        return { data: 'done' };
      });
    const gateways = [pair.a, pair.b].map(({ grpcPort }) => `127.0.0.1:${grpcPort}`);
    await pair.harness.upstream(pair.a, zoneOf(OPENID), handlers, { gateways, dedupe: true });
    const { client } = clientOf(pair.a, pair.b);
    await client.connect();
    const answer = client.request('slow', { timeoutMs: 50_000 });
    await eventually(() => runs === 1, 'the request to be under way');
    await eventually(() => pair.b.pair?.stats?.position === pair.a.pair?.stats?.position, 'copy');
    pair.cut = true;
    await pair.serves('b');
    await pair.a.stop();
    await eventually(() => pair.b.sessions.activeCount() === 1, 'the client');
    expect(pair.b.sessions.inFlight()).toBe(1);
    finish();
    expect((await answer).text).toBe('done');
    expect(runs).toBe(1);
  });

  test('the backup sends clients and upstreams to the primary', async () => {
    await start({ 'server.http_addr': '127.0.0.1:0' });
    const { client } = clientOf(pair.b);
    const addresses: string[] = [];
    client.on('connecting', ({ address }) => addresses.push(address));
    client.connect().catch(() => undefined);
    await eventually(() => addresses.includes('a.example:8453'), 'the redirect');
    const result = await new Promise((resolve) =>
      pair.b.sessions.pushes.push(
        new UnicastPushRequest({ targetType: 'openid', targetId: OPENID }),
        resolve,
      ),
    );
    expect(result).toMatchObject({ success: false, errorCode: 'NOT_PRIMARY' });
    const answer = await ask({ port: pair.b.httpPort, path: '/ready' });
    expect([answer.status, answer.text]).toEqual([503, '{"ready":false,"state":"backup"}']);
    const stats = JSON.parse((await ask({ port: pair.a.httpPort, path: '/backup/stats' })).text);
    expect(stats).toMatchObject({ role: 'primary', epoch: 1, in_sync: true, degraded: false });
  });

  test('a primary that was cut off falls silent, and joins the one that was promoted', async () => {
    await start({ 'backup.on_peer_loss': 'step_down' });
    pair.cut = true;
    await eventually(() => pair.a.pair?.serves === false, 'the lease to lapse');
    await pair.serves('b');
    expect(pair.a.pair?.serves).toBe(false);
    pair.cut = false;
    await pair.inSync('b');
    expect(pair.a.pair?.stats).toMatchObject({ role: 'backup', epoch: 2 });
  });

  test('what a cut off primary accepted is offered to the new one: nothing is silently gone', async () => {
    await start({ 'session.offline_ttl': '10m' });
    const push = async (gateway: Gateway, content: string, idempotencyKey = '') => {
      const target = { targetType: 'openid', targetId: OPENID, msgType: 't', title: 'x' };
      const request = new UnicastPushRequest({ ...target, content, idempotencyKey });
      const result = await new Promise((resolve) => gateway.sessions.pushes.push(request, resolve));
      expect(result).toMatchObject({ success: true });
    };
    await push(pair.a, 'before');
    await eventually(() => pair.b.pair?.stats?.position === pair.a.pair?.stats?.position, 'copy');
    pair.cut = true;
    await pair.serves('b');
    await pair.serves('a');
    await push(pair.a, 'at a');
    await push(pair.b, 'at b');
    await push(pair.a, 'at both', 'the same key');
    await push(pair.b, 'at both', 'the same key');
    pair.cut = false;
    await pair.inSync('b');
    const { unshared } = pair.a.metrics.replication;
    await eventually(() => unshared.of('accepted').value === 1, 'the answer to the offer');
    expect([unshared.of('refused').value, unshared.of('untold').value]).toEqual([0, 0]);
    const { client, pushes } = clientOf(pair.b);
    await client.connect();
    await eventually(() => pushes.length >= 4, 'all pushes');
    expect(pushes).toEqual(['before', 'at b', 'at both', 'at a']);
    // The next one to lead has them too, and nothing is offered twice.
    await eventually(() => pair.b.pair?.stats?.position === pair.a.pair?.stats?.position, 'copy');
    expect(unshared.of('offered').value).toBe(1);
  });

  test('a stale primary is deposed by a client that comes from the new one', async () => {
    await start();
    pair.cut = true;
    await pair.serves('b');
    await pair.serves('a');
    const { client } = clientOf(pair.b, pair.a);
    await client.connect();
    expect(pair.b.sessions.activeCount()).toBe(1);
    await pair.b.stop();
    await eventually(() => pair.a.pair?.state === 'backup', 'the stale primary to be deposed');
    expect(pair.a.pair?.stats).toMatchObject({ role: 'backup', accepting: false, epoch: 1 });
  });

  test('gatesvr switch tells at once that it came about, or why it did not', async () => {
    await start({ 'server.http_addr': '127.0.0.1:0' });
    const switched = async () => {
      const url = `http://127.0.0.1:${pair.a.httpPort}`;
      const run = new CliRun(['switch', '--url', url], registerSwitchCommand);
      return { code: await run.code, out: run.out, err: run.err };
    };
    pair.relays.a.sync.stall(true);
    // A registration is in the journal, and so not shipped.
    await upstreamOf(pair.a);
    expect(await switched()).toEqual({
      code: 1,
      out: '',
      err: 'gatesvr: the switch did not come about: the backup does not confirm; this gateway serves on\n',
    });
    expect(pair.a.pair?.stats).toMatchObject({ accepting: true, switching: false });
    pair.relays.a.sync.stall(false);
    await pair.inSync('a');
    expect(await switched()).toMatchObject({ code: 0, err: '' });
    expect(pair.a.pair?.stats).toMatchObject({ switching: false, switch_failure: '' });
  });

  test('an operator lets the one that is left serve, not one whose peer is alive', async () => {
    await start({ 'backup.on_peer_loss': 'step_down', 'server.http_addr': '127.0.0.1:0' });
    const solo = async (gateway: Gateway) => {
      const port = gateway.httpPort;
      const { status, text } = await ask({ port, path: '/backup/solo', method: 'POST' });
      return [status, JSON.parse(text)];
    };
    expect(await solo(pair.a)).toEqual([409, { error: 'this gateway serves already' }]);
    expect((await solo(pair.b))[0]).toBe(409);
    pair.cut = true;
    await pair.b.stop();
    await eventually(() => pair.a.pair?.state === 'silent', 'the lease to lapse');
    const url = `http://127.0.0.1:${pair.a.httpPort}`;
    let run: CliRun;
    do {
      // The lease lapses before the peer counts as silent.
      run = new CliRun(['switch', '--solo', '--url', url], registerSwitchCommand);
      expect((await run.code) === 0 || run.err.includes('the peer was heard just now')).toBe(true);
    } while ((await run.code) !== 0);
    expect(run.out).toMatch(/^127.0.0.1:\d+ serves alone now\n$/);
    expect(pair.a.pair?.state).toBe('serving');
  });

  test('a backup that stops says so: the primary goes on alone without a timeout', async () => {
    await start({
      'backup.sync.mode': 'sync',
      'backup.on_peer_loss': 'step_down',
      // Each longer than this test: nothing but the goodbye can end the waiting.
      'backup.heartbeat.timeout': '10m',
      'backup.sync.timeout': '10m',
    });
    const upstream = await upstreamOf(pair.a);
    const { client, pushes } = clientOf(pair.a);
    await client.connect();
    await pair.b.stop();
    expect(pair.a.pair?.stats).toMatchObject({ solo: true, accepting: true, degraded: true });
    await upstream.push({ openid: OPENID, type: 't', data: 'alone' });
    await eventually(() => pushes.length === 1, 'the push');
    expect(pair.a.pair?.warnings()).toEqual([
      'no backup is in sync: success promises no more than async',
    ]);
  });

  test('a lost stream shows, though heartbeats go on: lag, and a warning of how long', async () => {
    await start({ 'session.offline_ttl': '10m' });
    const { sync } = pair.relays.a;
    sync.cut = true;
    sync.kill();
    const push = new UnicastPushRequest({
      targetType: 'openid',
      targetId: OPENID,
      content: 'lost',
    });
    await new Promise((resolve) => pair.a.sessions.pushes.push(push, resolve));
    const shown = () => pair.a.pair?.warnings().join() ?? '';
    await eventually(() => /no stream to the backup for [1-9]/.test(shown()), 'the warning');
    expect(shown()).toMatch(/it lacks [1-9]\d* entries, and would take over without them$/);
    const stats = pair.a.pair?.stats;
    expect(stats).toMatchObject({ in_sync: true, accepting: true });
    expect(stats?.lag_frames).toBeGreaterThan(0);
    expect(stats?.lag_ms).toBeGreaterThanOrEqual(1_000);
    sync.cut = false;
    await eventually(() => shown() === '' && pair.a.pair?.stats?.lag_frames === 0, 'the stream');
    expect(pair.a.pair?.stats?.lag_ms).toBeLessThan(1_000);
  });

  test('a gateway whose disk fails says so to its peer, until it can write again', async () => {
    pair = new GatewayPair({ 'session.offline_ttl': '10m' }, 'journal');
    await pair.start();
    const healthy = () => pair.a.pair?.stats?.peer?.healthy;
    const push = () =>
      pair.a.sessions.pushes.push(
        new UnicastPushRequest({ targetType: 'openid', targetId: OPENID, content: 'x' }),
        () => undefined,
      );
    expect(healthy()).toBe(true);
    const segment = pair.b['journal']['disk']?.['segment'];
    if (!segment) throw new Error('the backup has no log');
    rmSync(dirname(segment.path), { recursive: true });
    segment.append = () => {
      throw new Error('ENOSPC: no space left on device');
    };
    push();
    await eventually(() => healthy() === false, 'the news of the disk');
    mkdirSync(dirname(segment.path));
    await eventually(() => healthy() === true, 'the disk to work again');
  });

  test('under on_timeout refuse nothing is promised without the standby', async () => {
    await start({
      'backup.sync.mode': 'sync',
      'backup.sync.on_timeout': 'refuse',
      // A standby that is there has longer than a machine stands still.
      'backup.sync.timeout': '1m',
    });
    const upstream = await upstreamOf(pair.a);
    const { client } = clientOf(pair.a);
    await client.connect();
    await upstream.push({ openid: OPENID, type: 't', data: 'kept' });
    await pair.b.stop();
    await eventually(() => pair.a.pair?.stats?.solo === true, 'the primary to be alone');
    const push = upstream.push({ openid: OPENID, type: 't', data: 'not kept' });
    await expect(push).rejects.toMatchObject({ code: 'REPLICATION_LAG' });
    await pair.boot('b');
    await pair.inSync('a');
    await upstream.push({ openid: OPENID, type: 't', data: 'kept again' });
  });

  test.each([
    ['journals', 'journal'],
    ['state files', 'state'],
  ] as const)(
    'with %s both may stop: they go on from their disks, and nothing jumps',
    async (_, keeps) => {
      pair = new GatewayPair({ 'backup.sync.mode': 'sync' }, keeps);
      await pair.start();
      const upstream = await upstreamOf(pair.a, pair.b);
      const { client, pushes, recovered, seqs } = clientOf(pair.a, pair.b);
      await client.connect();
      await upstream.push({ openid: OPENID, type: 't', data: 'before' });
      await eventually(() => pushes.length === 1, 'the first push');
      const ports = (gateway: Gateway) => ({
        'server.quic_addr': `127.0.0.1:${gateway.quicPort}`,
        'server.grpc_addr': `127.0.0.1:${gateway.grpcPort}`,
      });
      const [portsA, portsB] = [ports(pair.a), ports(pair.b)];
      await pair.b.stop();
      await eventually(() => pair.a.pair?.stats?.solo === true, 'the primary to be alone');
      await upstream.push({ openid: OPENID, type: 't', data: 'alone', retryForMs: 20_000 });
      await pair.a.stop();
      await pair.boot('b', portsB);
      await pair.boot('a', portsA);
      await pair.inSync('a');
      await upstream.push({ openid: OPENID, type: 't', data: 'after', retryForMs: 20_000 });
      await eventually(() => pushes.length === 3, 'the last push');
      expect(pushes).toEqual(['before', 'alone', 'after']);
      expect(recovered).not.toContain(false);
      expect(Math.max(...seqs)).toBeLessThan(100);
    },
  );
});
