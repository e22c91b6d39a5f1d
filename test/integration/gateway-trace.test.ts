import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Gateway } from '../../src/gateway/gateway.js';
import type { Link } from '../../src/link/link.js';
import { MAX_TRACE_LISTENERS } from '../../src/ops/trace-routes.js';
import { GatewayClient, QuicTransport } from '../../src/sdk/client/index.js';
import type { Transport } from '../../src/sdk/client/index.js';
import type { UpstreamServer } from '../../src/sdk/upstream/index.js';
import { EventStreamReader } from '../support/event-stream.js';
import type { StreamedEvent } from '../support/event-stream.js';
import { GatewayHarness, ZONES } from '../support/gateway-harness.js';
import { ask } from '../support/ops-double.js';
import { PATIENT_CLIENT } from '../support/patience.js';
import { until } from '../support/until.js';

const TOKEN = 'a-token-for-the-operators';
const ADMIN = { authorization: `Bearer ${TOKEN}` };

let harness: GatewayHarness;
let gateway: Gateway;
const upstreams: UpstreamServer[] = [];
const clients: GatewayClient[] = [];
const readers: EventStreamReader[] = [];

beforeEach(async () => {
  harness = new GatewayHarness();
  gateway = await harness.gateway({
    'server.http_addr': '127.0.0.1:0',
    'ops.admin_token': TOKEN,
    'overload_protection.session_qps': '1000',
  });
  for (const zone of ZONES) {
    upstreams.push(
      await harness.upstream(gateway, zone, (server) =>
        server.handle('echo', ({ data }) => ({ data, headers: { who: 'upstream' } })),
      ),
    );
  }
});

afterEach(async () => {
  for (const reader of readers.splice(0)) reader.close();
  for (const client of clients.splice(0)) client.close();
  upstreams.splice(0);
  await harness.close();
});

async function follow(query: string): Promise<EventStreamReader> {
  const reader = await EventStreamReader.open(gateway.httpPort, `/trace?${query}`, ADMIN);
  readers.push(reader);
  await reader.seen(({ name }) => name === 'open');
  return reader;
}

/** A client whose connections the test can cut. */
function client(openid: string, links: Link[] = []): GatewayClient {
  const address = `127.0.0.1:${gateway.quicPort}`;
  const quic = new QuicTransport({ insecure: true });
  const transport: Transport = {
    name: 'QUIC',
    open: async (to, signal) => {
      const link = await quic.open(to, signal);
      links.push(link);
      return link;
    },
  };
  const made = new GatewayClient({ ...PATIENT_CLIENT, address, openid, transport });
  clients.push(made);
  return made;
}

function story(events: readonly StreamedEvent[]): string[] {
  return events.map(({ name, data: { dir, type, what, phase } }) =>
    [name, dir, type, what, phase].filter((word) => word !== undefined).join(' '),
  );
}

describe('a trace of a client', () => {
  it('tells its story: START, request, push, acknowledgement, loss, resume, refusal, STOP', async () => {
    const reader = await follow('openid=ann');
    expect(reader.response.headers['content-type']).toBe('text/event-stream; charset=utf-8');
    expect(reader.of('open')).toMatchObject([{ openid: 'ann', payload: false, sessions: [] }]);
    const links: Link[] = [];
    const ann = client('ann', links);
    await ann.connect();
    await ann.request('echo', { data: 'secret-text', headers: { cookie: 'secret-header' } });
    await upstreams[0]?.push({ openid: 'ann', type: 'news', title: 'secret-title' });
    await reader.seen(({ data }) => data.type === 'ACK' && data.acked === 2);
    const resumed = new Promise((resolve) => ann.on('resumed', resolve));
    links[0]?.close(0, 'cut');
    await resumed;
    await ann.request('nothing', {}).catch(() => undefined);
    await ann.stop();
    await reader.seen(({ data }) => data.what === 'ended');

    const told = story(reader.events).filter((line) => !/ACK|HEARTBEAT|written/.test(line));
    expect(told.slice(0, 12)).toEqual([
      'open',
      'frame in START',
      'session started',
      'frame out START_RESP',
      'frame in BUSINESS',
      'request sent',
      'request answered',
      'frame out BUSINESS_DATA',
      'frame out BUSINESS_DATA',
      'session detached',
      'connection closed',
      'frame in START',
    ]);
    expect(told.slice(12)).toEqual(
      expect.arrayContaining(['session resumed', 'frame in STOP', 'session ended']),
    );
    expect(reader.text).not.toContain('secret');
    const ids = reader.events.map(({ id }) => id);
    expect(ids).toEqual(ids.map((_, index) => index + 1));
    const [sent] = reader.of('request');
    expect(sent).toMatchObject({
      action: 'echo',
      seq: 1,
      attempt: 1,
      upstream: expect.any(String),
    });
    const [written] = reader.of('request').filter(({ phase }) => phase === 'written');
    const timing = written?.timing_ms as Record<string, number>;
    expect(Object.keys(timing)).toEqual([
      ...['decode', 'admission', 'queue', 'upstream', 'encode', 'outbox', 'flush', 'total'],
    ]);
    for (const ms of Object.values(timing)) expect(ms).toBeGreaterThanOrEqual(0);
    const [answer] = reader.of('frame').filter(({ type }) => type === 'BUSINESS_DATA');
    expect(answer).toMatchObject({ code: 200, push: false, seq: 1, session: ann.sessionId });
    const missing = reader.of('request').filter(({ action }) => action === 'nothing');
    expect(missing.map(({ phase, code }) => [phase, code])).toContainEqual(['answered', 404]);
  });

  it('shows contents where it is asked to, tokens never', async () => {
    const reader = await follow('openid=bob&payload=1');
    const bob = client('bob');
    await bob.connect();
    await bob.request('echo', { data: 'hello', headers: { lang: 'de' }, params: { room: '7' } });
    await reader.seen(({ data }) => data.type === 'BUSINESS_DATA');
    const payload = { base64: Buffer.from('hello').toString('base64'), bytes: 5, truncated: false };
    const business = reader.of('frame').filter(({ type }) => /^BUSINESS/.test(String(type)));
    expect(business).toMatchObject([
      { payload, headers: { lang: 'de' }, params: { room: '7' } },
      { payload, headers: { who: 'upstream' } },
    ]);
    expect(reader.text).not.toContain('default-token');
  });

  it('begins by a session, in its middle, and goes on for the next session of that openid', async () => {
    const eve = client('eve');
    await eve.connect();
    const reader = await follow(`session=${eve.sessionId}`);
    expect(reader.of('open')).toMatchObject([
      {
        openid: 'eve',
        session: eve.sessionId,
        sessions: [{ session: eve.sessionId, state: 'active', transport: 'quic' }],
      },
    ]);
    await eve.request('echo', { data: 'x' });
    await eve.stop();
    await client('eve').connect();
    await reader.seen(({ data }) => data.type === 'START_RESP');
    expect(story(reader.events)).toContain('session started');
  });

  it('tells why an upstream did not answer, which the client is not told', async () => {
    const reader = await follow('openid=ann');
    const ann = client('ann');
    await ann.connect();
    for (const upstream of upstreams) await upstream.stop();
    await ann.request('echo', { timeoutMs: 20_000 }).catch(() => undefined);
    const failed = await reader.seen(({ data }) => data.phase === 'failed');
    expect(failed.data.code).toBeGreaterThanOrEqual(502);
    const error = await reader.seen(({ data }) => data.type === 'ERROR');
    expect(error.data.error).toMatchObject({ code: failed.data.code });
  });

  it('ends with its listener, and with the gateway', async () => {
    const { tracing } = gateway.sessions.environment;
    const reader = await follow('openid=ann');
    const other = await follow('openid=bob');
    reader.close();
    await until(() => tracing.of('ann') === null);
    expect(tracing.of('bob')).not.toBeNull();
    await gateway.stop();
    await until(() => other.ended);
    expect(tracing.requests).toBeNull();
  });

  it('is for few at a time', async () => {
    for (let count = 0; count < MAX_TRACE_LISTENERS; count++) await follow('openid=ann');
    const port = gateway.httpPort;
    const path = '/trace?openid=ann';
    const refused = await ask({ port, path, headers: ADMIN });
    expect(refused.status).toBe(503);
    expect(JSON.parse(refused.text)).toEqual({
      error: `${MAX_TRACE_LISTENERS} listen already, try later`,
    });
    readers.shift()?.close();
    await until(async () => {
      const again = await EventStreamReader.open(port, path, ADMIN);
      readers.push(again);
      return again.response.statusCode === 200;
    });
  });
});

describe('who may follow a client', () => {
  it.each([
    [{}, 401],
    [{ authorization: 'Bearer something-else-entirely' }, 401],
    [{ origin: 'http://page.example' }, 401],
  ])('nobody with %j', async (headers, status) => {
    const asked = await ask({ port: gateway.httpPort, path: '/trace?openid=ann', headers });
    expect(asked.status).toBe(status);
    const inUrl = `/trace?openid=ann&token=${TOKEN}&access_token=${TOKEN}`;
    expect((await ask({ port: gateway.httpPort, path: inUrl, headers })).status).toBe(status);
  });

  it.each([
    ['/trace', 400],
    ['/trace?openid=', 400],
    ['/trace?openid=a&openid=b', 400],
    ['/trace?openid=a&session=b', 400],
    [`/trace?openid=${'x'.repeat(129)}`, 400],
    ['/trace?openid=a&payload=yes', 400],
    ['/trace?session=nobody', 404],
  ])('is told what is wrong with %s', async (path, status) => {
    const asked = await ask({ port: gateway.httpPort, path, headers: ADMIN });
    expect([asked.status, Object.keys(JSON.parse(asked.text))]).toEqual([status, ['error']]);
  });

  it('answers no HEAD, which would never end', async () => {
    const path = '/trace?openid=ann';
    const asked = await ask({ port: gateway.httpPort, path, method: 'HEAD', headers: ADMIN });
    expect(asked.status).toBe(405);
  });
});
