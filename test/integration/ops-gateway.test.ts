import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Gateway } from '../../src/gateway/gateway.js';
import { GatewayClient } from '../../src/sdk/client/index.js';
import type { SessionRefusedError } from '../../src/sdk/client/index.js';
import type { UpstreamServer } from '../../src/sdk/upstream/index.js';
import { GatewayHarness, ZONES } from '../support/gateway-harness.js';
import { ask } from '../support/ops-double.js';
import { PATIENT_CLIENT } from '../support/patience.js';
import { until } from '../support/until.js';

describe('the operators of a gateway with clients', () => {
  let harness: GatewayHarness;
  let gateway: Gateway;
  let news: UpstreamServer;
  const clients: GatewayClient[] = [];

  beforeEach(async () => {
    harness = new GatewayHarness();
    gateway = await harness.gateway({ 'server.http_addr': '127.0.0.1:0' });
    for (const zone of ZONES) {
      news = await harness.upstream(gateway, zone, (server) =>
        server.handle('echo', ({ data }) => ({ data })),
      );
    }
  });

  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    await harness.close();
  });

  async function client(openid: string): Promise<GatewayClient> {
    const address = `127.0.0.1:${gateway.quicPort}`;
    const made = new GatewayClient({ ...PATIENT_CLIENT, address, openid, insecure: true });
    clients.push(made);
    await made.connect();
    await made.request('echo', { data: Buffer.from('x') });
    return made;
  }

  async function get(path: string) {
    const { status, text } = await ask({ port: gateway.httpPort, path });
    return { status, body: JSON.parse(text) as Record<string, unknown> };
  }

  it('see every session, of one zone, of one name, and one closely', async () => {
    for (const name of ['ann-1', 'ann-2', 'bob-1']) await client(name);
    const { body } = await get('/stats?openid=ann');
    expect(body).toMatchObject({
      total_sessions: 3,
      active_sessions: 3,
      traffic: { business_requests: 3, upstream_requests: 3 },
      sessions: [{ openid: 'ann-1' }, { openid: 'ann-2' }],
      next_cursor: null,
    });
    const zones = body.zones as { zone: string; sessions: number; upstreams: unknown[] }[];
    expect(zones.map(({ zone }) => zone)).toEqual([...ZONES]);
    expect(zones.reduce((sum, { sessions }) => sum + sessions, 0)).toBe(3);
    for (const { upstreams } of zones) expect(upstreams).toHaveLength(1);
    const [first] = body.sessions as { session_id: string; zone: string }[];
    const page = await get('/stats?limit=2');
    const rest = await get(`/stats?limit=2&cursor=${String(page.body.next_cursor)}`);
    expect(rest.body).toMatchObject({ sessions: [{ openid: 'bob-1' }], next_cursor: null });
    const detail = await get(`/sessions/${first?.session_id}`);
    expect(detail.body).toMatchObject({
      openid: 'ann-1',
      zone: first?.zone,
      transport: 'quic',
      state: 'active',
      logged_in: true,
      next_client_seq: 2,
    });
    const zoned = (await get(`/stats?zone=${first?.zone}`)).body.sessions as { zone: string }[];
    expect(zoned.map(({ zone }) => zone)).toContain(first?.zone);
    expect(zoned.every(({ zone }) => zone === first?.zone)).toBe(true);
  });

  it('see what waits for a client that is away, without its content', async () => {
    const ann = await client('ann');
    const [session] = (await get('/stats')).body.sessions as { session_id: string }[];
    const detail = async () => (await get(`/sessions/${session?.session_id}`)).body;
    await until(async () => (await detail())['pending_count'] === 0);
    ann.close();
    await until(async () => (await detail())['state'] === 'detached');
    for (const content of ['secret 1', 'secret 2']) {
      await news.push({ openid: 'ann', type: 'news', title: 'hi', content });
    }
    const { outbox, next_push_seq: next, pending_bytes: bytes } = await detail();
    const frames = outbox as { seq: number; bytes: number }[];
    const push = { kind: 'push', client_seq: 0, sent: false };
    expect(frames).toMatchObject([push, push]);
    expect(frames.map(({ seq }) => seq)).toEqual([Number(next) - 2, Number(next) - 1]);
    expect(frames.reduce((sum, frame) => sum + frame.bytes, 0)).toBe(bytes);
    expect(JSON.stringify(outbox)).not.toContain('secret');
  });

  it('end a session, whose client is told why and stays away', async () => {
    const ann = await client('ann');
    const gone = new Promise<SessionRefusedError>((resolve) =>
      ann.on('closed', ({ error }) => resolve(error as SessionRefusedError)),
    );
    const [session] = (await get('/stats')).body.sessions as { session_id: string }[];
    const path = `/sessions/${session?.session_id}/kick`;
    const headers = { 'content-type': 'application/json' };
    const kick = { port: gateway.httpPort, path, method: 'POST', headers };
    expect(await ask(kick, '{"reason":"spam"}')).toMatchObject({ status: 200 });
    const { status, detail } = await gone;
    expect([status, detail]).toEqual([403, 'spam']);
    expect((await get('/stats')).body.total_sessions).toBe(0);
    expect(await ask(kick, '{}')).toMatchObject({ status: 404 });
  });

  it('drain it: no client is taken any more, but they are still answered', async () => {
    await client('ann');
    const drained = await ask({ port: gateway.httpPort, path: '/drain', method: 'POST' });
    expect(drained.status).toBe(202);
    expect((await get('/ready')).status).toBe(503);
    await gateway.drain();
    expect((await get('/stats')).body).toMatchObject({ total_sessions: 1, active_sessions: 0 });
    const late = new GatewayClient({
      ...PATIENT_CLIENT,
      address: `127.0.0.1:${gateway.quicPort}`,
      openid: 'late',
      insecure: true,
    });
    clients.push(late);
    void late.connect().catch(() => undefined);
    const waiting = late.request('echo', { data: Buffer.from('x'), timeoutMs: 400 });
    await expect(waiting).rejects.toThrow();
  });

  it('change what all its parts log', async () => {
    const put = { port: gateway.httpPort, path: '/log/level', method: 'PUT' };
    const headers = { 'content-type': 'application/json' };
    expect((await get('/log/level')).body).toEqual({ level: 'error' });
    await ask({ ...put, headers }, '{"level":"silent"}');
    expect((await get('/log/level')).body).toEqual({ level: 'silent' });
  });
});
