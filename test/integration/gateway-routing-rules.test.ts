import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { loadConfig } from '../../src/config/load.js';
import type { Gateway } from '../../src/gateway/gateway.js';
import { GatewayClient } from '../../src/sdk/client/index.js';
import type { UpstreamServer } from '../../src/sdk/upstream/index.js';
import { GatewayApi } from '../support/gateway-api.js';
import { GatewayHarness } from '../support/gateway-harness.js';
import { eventually } from '../support/quic-harness.js';
import { openidsOfZone } from '../support/upstream-requests.js';
import { PATIENT_CLIENT } from '../support/patience.js';

const [ann, bob] = openidsOfZone('001', 2) as [string, string];
const [cid, dan] = openidsOfZone('002', 2) as [string, string];

const RULES = {
  'routing.services': 'login',
  'routing.rules': JSON.stringify([
    { action_prefix: 'login.', service: 'login' },
    { openid_prefix: bob, zone: '002' },
  ]),
};

let harness: GatewayHarness;
let clients: GatewayClient[];
/** What each upstream executed, as `openid action data`, in order of arrival. */
let executed: Record<string, string[]>;

beforeEach(() => {
  harness = new GatewayHarness();
  clients = [];
  executed = {};
});
afterEach(async () => {
  for (const client of clients) client.close();
  await harness.close();
});

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** An upstream for a zone or a service, which answers with its name and what it was sent. */
async function serve(gateway: Gateway, pool: string, delay = 0): Promise<UpstreamServer> {
  const log = (executed[pool] ??= []);
  return harness.upstream(gateway, pool, (server) =>
    server.fallback(async ({ openid, action, text }) => {
      log.push(`${openid} ${action} ${text}`);
      if (delay > 0) await pause(Math.random() * delay);
      return { data: `${pool}:${text}` };
    }),
  );
}

async function online(gateway: Gateway, openid: string): Promise<GatewayClient> {
  const address = `127.0.0.1:${gateway.quicPort}`;
  const client = new GatewayClient({ ...PATIENT_CLIENT, address, openid, insecure: true });
  clients.push(client);
  await client.connect();
  return client;
}

function reload(gateway: Gateway, flags: Record<string, string>): Promise<void> {
  return gateway.reload(loadConfig({ env: {}, flags: { 'log.level': 'error', ...flags } }).config);
}

describe('a gateway with a login service and two zones', () => {
  test('each request reaches its pool; login_action works with the service', async () => {
    const gateway = await harness.gateway({ ...RULES, 'session.login_action': 'login.enter' });
    for (const pool of ['login', '001', '002']) await serve(gateway, pool);
    for (const [openid, zone] of [
      [ann, '001'],
      [bob, '002'],
      [cid, '002'],
    ] as const) {
      const client = await online(gateway, openid);
      await expect(client.request('move', { data: '0' })).rejects.toMatchObject({ status: 401 });
      expect((await client.request('login.enter', { data: '1' })).text).toBe('login:1');
      expect((await client.request('move', { data: '2' })).text).toBe(`${zone}:2`);
      expect((await client.request('login.leave', { data: '3' })).text).toBe('login:3');
    }
    expect(executed['001']).toEqual([`${ann} move 2`]);
    expect(executed['002']).toEqual([`${bob} move 2`, `${cid} move 2`]);
  });

  test('a broadcast by zone reaches those whose requests the zone serves', async () => {
    const gateway = await harness.gateway({
      'routing.services': 'login,robots',
      'routing.rules': JSON.stringify([
        { openid_prefix: bob, zone: '002' },
        { openid_prefix: dan, service: 'robots' },
      ]),
    });
    const got: string[] = [];
    for (const openid of [ann, bob, cid, dan]) {
      (await online(gateway, openid)).onPush(({ title }) => got.push(`${title} ${openid}`));
    }
    const api = new GatewayApi(`127.0.0.1:${gateway.grpcPort}`);
    try {
      const send = (title: string, zone: string) =>
        api.call('BroadcastToClients', { msg_type: 'n', title, zone_ids: [zone] });
      expect(await send('a', '002')).toMatchObject({ sent_count: 2 });
      expect(await send('b', 'robots')).toMatchObject({ sent_count: 1 });
      expect(await send('c', 'login')).toMatchObject({ sent_count: 0, message: 'sent' });
      expect(await send('d', 'robotz')).toMatchObject({
        sent_count: 0,
        message: expect.stringMatching(/^INVALID_ZONE_ID/),
      });
      await eventually(() => got.length === 3, 'the pushes');
      expect(got.sort()).toEqual([`a ${bob}`, `a ${cid}`, `b ${dan}`].sort());
      const target = { target_type: 'openid', target_id: dan };
      expect(await api.call('GetClient', target)).toMatchObject({ zone: 'robots' });
    } finally {
      api.close();
    }
  });

  test('registrations for a service survive a restart', async () => {
    const first = await harness.gateway(RULES);
    await serve(first, 'login');
    await first.stop();
    const second = await harness.gateway(RULES);
    const client = await online(second, ann);
    expect((await client.request('login.enter', { data: '1' })).text).toBe('login:1');
  });
});

describe('a reload of the rules', () => {
  const MOVED = {
    'routing.services': 'login',
    'routing.rules': JSON.stringify([
      { action_prefix: 'move', service: 'login' },
      { openid_to: 'z', zone: '002' },
    ]),
  };

  test('holds for sessions that are there already; bad rules change nothing', async () => {
    const gateway = await harness.gateway(RULES);
    for (const pool of ['login', '001', '002']) await serve(gateway, pool);
    const client = await online(gateway, ann);
    const move = async () => (await client.request('move', { data: '' })).text;
    expect(await move()).toBe('001:');
    await reload(gateway, MOVED);
    expect(await move()).toBe('login:');
    const bad = { 'routing.rules': '[{"action_prefix":"move","service":"lost"}]' };
    expect(() => loadConfig({ env: {}, flags: bad })).toThrow(/names service "lost"/);
    expect(await move()).toBe('login:');
    await reload(gateway, {});
    expect(await move()).toBe('001:');
  });

  test('under load loses no request, executes none twice, and keeps the order in each pool', async () => {
    const gateway = await harness.gateway(RULES);
    for (const pool of ['login', '001', '002']) await serve(gateway, pool, 3);
    const openids = [ann, bob, cid, dan];
    const atLeast = 150;
    let reloaded = 0;
    let done = false;
    const work = openids.map(async (openid) => {
      const client = await online(gateway, openid);
      const answers: Promise<string>[] = [];
      for (let n = 0; n < atLeast || reloaded <= 3; n++) {
        const action = n % 3 === 0 ? 'login.x' : 'move';
        answers.push(client.request(action, { data: `${n}` }).then(({ text }) => text));
        if (n % 5 === 0) await pause(3);
      }
      return Promise.all(answers);
    });
    const reloads = (async () => {
      for (; !done; reloaded++) {
        await reload(gateway, [RULES, MOVED, {}][reloaded % 3] as Record<string, string>);
        await pause(5);
      }
    })();
    const answers = await Promise.all(work).finally(() => (done = true));
    await reloads;
    expect(reloaded).toBeGreaterThan(3);

    for (const texts of answers) {
      expect(texts.map((text) => text.split(':')[1])).toEqual(
        [...Array(texts.length).keys()].map(String),
      );
    }
    const all = Object.values(executed).flat();
    expect(new Set(all).size).toBe(all.length);
    expect(all).toHaveLength(answers.flat().length);
    expect(Object.values(executed).every((log) => log.length > 0)).toBe(true);
    for (const log of Object.values(executed)) {
      for (const openid of openids) {
        const order = log
          .filter((line) => line.startsWith(`${openid} `))
          .map((line) => Number(line.split(' ')[2]));
        expect(order).toEqual([...order].sort((one, other) => one - other));
      }
    }
  });
});
