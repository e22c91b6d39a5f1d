import { afterEach, describe, expect, test } from '@jest/globals';
import { GatewayClient } from '../../src/sdk/client/index.js';
import { UpstreamServer } from '../../src/sdk/upstream/index.js';
import type { PushResult } from '../../src/upstream/push-sink.js';
import type { UnicastPushRequest } from '../../src/wire/messages.js';
import { FakeGatewayService } from '../support/fake-gateway-service.js';
import { GatewayHarness } from '../support/gateway-harness.js';
import { PATIENCE_MS, PATIENT_CLIENT } from '../support/patience.js';
import { allIsRead, until } from '../support/until.js';

const closing: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const TAKEN: PushResult = { success: true, message: '', errorCode: '' };
const refused = (errorCode: PushResult['errorCode']): PushResult => ({
  success: false,
  message: errorCode,
  errorCode,
});
/** A gateway that keeps pushes for openids without a session, where it may. */
const keeping = (push: UnicastPushRequest): PushResult =>
  push.sessionOnly ? refused('OPENID_OFFLINE') : TAKEN;

async function fakes(count: number): Promise<FakeGatewayService[]> {
  const gateways: FakeGatewayService[] = [];
  for (let each = 0; each < count; each++) {
    const gateway = await FakeGatewayService.start();
    closing.push(() => gateway.stop());
    gateways.push(gateway);
  }
  return gateways;
}

function upstreamOf(gateways: readonly string[]): UpstreamServer {
  const base = { zone: '001', serviceName: 'several', listen: '127.0.0.1:0' };
  const upstream = new UpstreamServer({ ...base, gateways, callTimeoutMs: PATIENCE_MS });
  closing.push(() => upstream.stop());
  return upstream;
}

/** How often each gateway was pushed to since the last time, and which of these might be kept. */
function asked(gateways: readonly FakeGatewayService[]): string[] {
  return gateways.map(({ pushes }) =>
    pushes
      .splice(0)
      .map(({ sessionOnly }) => (sessionOnly ? 'search' : 'keep'))
      .join(' '),
  );
}

describe('independent gateways that keep pushes for offline openids', () => {
  test('a push and a batch reach the client at the second one, and not the queue of the first', async () => {
    const harness = new GatewayHarness();
    closing.push(() => harness.close());
    const settings = {
      'server.state_file': 'off',
      'routing.registry_file': 'off',
      'session.offline_ttl': '60s',
    };
    const gateways = [await harness.gateway(settings), await harness.gateway(settings)];
    const upstream = upstreamOf(gateways.map(({ grpcPort }) => `127.0.0.1:${grpcPort}`));
    const online = async (openid: string, at: number): Promise<string[]> => {
      const address = `127.0.0.1:${gateways[at]?.quicPort}`;
      const client = new GatewayClient({ ...PATIENT_CLIENT, address, openid, insecure: true });
      closing.push(() => client.close());
      const titles: string[] = [];
      client.onPush(({ title }) => titles.push(title));
      await client.connect();
      return titles;
    };
    const alice = await online('alice', 1);
    await upstream.pushBatch([{ openid: 'alice', type: 'n', title: 'batched' }]);
    await upstream.push({ openid: 'alice', type: 'n', title: 'single' });
    await until(() => alice.length === 2);
    expect(alice).toEqual(['batched', 'single']);
    // Nobody has these: the gateway that took the last push keeps the one, the first of all the batch.
    await upstream.push({ openid: 'bob', type: 'n', title: 'kept' });
    const bob = await online('bob', 1);
    await until(() => bob.length === 1);
    const results = await upstream.pushBatch([{ openid: 'carol', type: 'n', title: 'kept too' }]);
    expect(results).toEqual([{ success: true, code: '', message: 'accepted' }]);
    const carol = await online('carol', 0);
    await until(() => carol.length === 1);
  });

  test('all are asked for the session before one may keep it', async () => {
    const gateways = await fakes(3);
    const upstream = upstreamOf(gateways.map(({ address }) => address));
    for (const gateway of gateways) gateway.onPush = keeping;
    await upstream.push({ openid: 'nobody', type: 'n' });
    expect(asked(gateways)).toEqual(['search keep', 'search', 'search']);
    await upstream.pushBatch([{ openid: 'nobody', type: 'n' }]);
    expect(asked(gateways)).toEqual(['search keep', 'search', 'search']);
    // What is never kept is not searched for in that way.
    for (const gateway of gateways) gateway.onPush = () => refused('OPENID_OFFLINE');
    const dropped = upstream.push({ openid: 'nobody', type: 'n', bestEffort: true });
    await expect(dropped).rejects.toMatchObject({ code: 'OPENID_OFFLINE' });
    expect(asked(gateways)).toEqual(['keep', 'keep', 'keep']);
  });

  test('one that has no room ends the search; one that is away does not', async () => {
    const gateways = await fakes(2);
    const upstream = upstreamOf(gateways.map(({ address }) => address));
    const [first, second] = gateways as [FakeGatewayService, FakeGatewayService];
    first.onPush = (push) =>
      push.sessionOnly ? refused('OPENID_OFFLINE') : refused('OFFLINE_QUEUE_FULL');
    second.onPush = keeping;
    const full = upstream.push({ openid: 'nobody', type: 'n' });
    await expect(full).rejects.toMatchObject({ code: 'OFFLINE_QUEUE_FULL' });
    const [result] = await upstream.pushBatch([{ openid: 'nobody', type: 'n' }]);
    expect(result).toMatchObject({ success: false, code: 'OFFLINE_QUEUE_FULL' });
    asked(gateways);
    await first.stop();
    await allIsRead();
    await upstream.push({ openid: 'nobody', type: 'n' });
    expect(asked(gateways)).toEqual(['', 'search keep']);
  });
});

describe('what it costs', () => {
  test('one gateway is sent what it always was', async () => {
    const gateways = await fakes(1);
    const upstream = upstreamOf(gateways.map(({ address }) => address));
    await upstream.push({ openid: 'nobody', type: 'n' });
    await upstream.pushBatch([{ openid: 'nobody', type: 'n' }]);
    expect(asked(gateways)).toEqual(['keep keep']);
  });

  test('a pair is asked as one gateway, before a change of roles and after', async () => {
    const gateways = await fakes(2);
    const [a, b] = gateways as [FakeGatewayService, FakeGatewayService];
    const upstream = upstreamOf(gateways.map(({ address }) => address));
    const backup = (gateway: FakeGatewayService): void => {
      gateway.onPush = () => refused('NOT_PRIMARY');
      gateway.onRegister = () => ({ success: false, message: 'b', errorCode: 'NOT_PRIMARY' });
    };
    a.onPush = keeping;
    backup(b);
    await upstream.start();
    await upstream.push({ openid: 'nobody', type: 'n' });
    await upstream.pushBatch([{ openid: 'nobody', type: 'n' }]);
    expect(asked(gateways)).toEqual(['keep keep', '']);
    backup(a);
    b.onPush = keeping;
    await upstream.push({ openid: 'nobody', type: 'n' });
    asked(gateways);
    await upstream.push({ openid: 'nobody', type: 'n' });
    expect(asked(gateways)).toEqual(['', 'keep']);
  });
});
