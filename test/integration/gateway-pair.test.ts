import { afterEach, describe, expect, test } from '@jest/globals';
import type { Gateway } from '../../src/gateway/gateway.js';
import { zoneOf } from '../../src/routing/zone.js';
import { GatewayClient } from '../../src/sdk/client/index.js';
import type { UpstreamServer } from '../../src/sdk/upstream/index.js';
import { GatewayPair } from '../support/gateway-pair.js';
import { eventually } from '../support/quic-harness.js';

const OPENID = 'of-a-pair';
let pair: GatewayPair;
const clients: GatewayClient[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) await client.stop().catch(() => undefined);
  await pair.close();
}, 30_000);

async function start(settings: Record<string, string> = {}): Promise<void> {
  pair = new GatewayPair(settings);
  await pair.start();
}

/** A client of both, with what it was pushed and whether each of its connections recovered. */
function clientOf(...gateways: Gateway[]) {
  const addresses = gateways.map(({ quicPort }) => `127.0.0.1:${quicPort}`);
  const client = new GatewayClient({ addresses, openid: OPENID, insecure: true, maxDelayMs: 200 });
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
      expect(pair.b.pair?.epoch).toBe(2);
      await pair.a.stop();
      expect((await client.request('echo', { data: 'two' })).text).toBe('two');
      await upstream.push({ openid: OPENID, type: 't', data: 'after' });
      await eventually(() => pushes.length === 2, 'the second push');
      expect(pushes).toEqual(['before', 'after']);
      expect(recovered).toEqual([true, true]);
      expect(seqs[1]).toBeGreaterThan(2 ** 32);
    }, 60_000);
  },
);
