import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { connect } from 'node:net';
import { OpsBench } from '../support/ops-double.js';
import { until } from '../support/until.js';

let bench: OpsBench;

beforeEach(async () => {
  bench = new OpsBench();
  await bench.ops.start();
});

afterEach(() => bench.stop());

const JSON_TYPE = { 'content-type': 'application/json' };

function put(body: string) {
  return bench.ask('/log/level', { method: 'PUT', headers: JSON_TYPE, body });
}

describe('what operators do', () => {
  it('answers a ping', async () => {
    const { status, text } = await bench.ask('/ping');
    expect(status).toBe(200);
    expect(JSON.parse(text)).toEqual({
      status: 'pong',
      timestamp_ms: Math.floor(bench.clock.wallTime()),
    });
  });

  it('shows one session closely', async () => {
    const { status, text } = await bench.ask('/sessions/s4');
    expect(status).toBe(200);
    expect(JSON.parse(text)).toMatchObject({
      session_id: 's4',
      openid: 'user-4',
      transport: 'quic',
      connected_at: 1_700_000_001,
      next_client_seq: 4,
      pending_bytes: 120,
    });
    expect((await bench.ask('/sessions/nobody')).status).toBe(404);
  });

  it('ends a session, with a reason or without', async () => {
    const kicked = await bench.ask('/sessions/s1/kick', { method: 'POST' });
    expect(kicked).toMatchObject({ status: 200, text: '{"session_id":"s1","kicked":true}' });
    const body = JSON.stringify({ reason: 'spam, please stop' });
    await bench.ask('/sessions/s2/kick', { method: 'POST', headers: JSON_TYPE, body });
    expect(bench.double.done).toEqual([
      'kick s1: ended by an operator',
      'kick s2: spam, please stop',
    ]);
    expect((await bench.ask('/sessions/nobody/kick', { method: 'POST' })).status).toBe(404);
  });

  it.each([
    '{"reason":7}',
    '{"reason":""}',
    '{"reason":"a\\nb"}',
    `{"reason":"${'x'.repeat(201)}"}`,
  ])('refuses to kick with %s', async (body) => {
    const question = { method: 'POST', headers: JSON_TYPE, body };
    expect((await bench.ask('/sessions/s1/kick', question)).status).toBe(400);
    expect(bench.double.done).toEqual([]);
  });

  it('drains, and says so', async () => {
    bench.double.state = 'starting';
    expect((await bench.ask('/drain', { method: 'POST' })).status).toBe(409);
    bench.double.state = 'serving';
    const { status, text } = await bench.ask('/drain', { method: 'POST' });
    expect([status, text]).toEqual([202, '{"ready":false,"state":"draining"}']);
    expect((await bench.ask('/ready')).status).toBe(503);
  });

  it('changes the log level', async () => {
    expect((await put('{"level":"debug"}')).status).toBe(200);
    expect((await bench.ask('/log/level')).text).toBe('{"level":"debug"}');
    for (const body of ['{"level":"loud"}', '{}', 'null', '{"level":["info"]}', '{"level":', '']) {
      expect([body, (await put(body)).status]).toEqual([body, 400]);
    }
    const text = { 'content-type': 'text/plain' };
    const body = '{"level":"info"}';
    const plain = await bench.ask('/log/level', { method: 'PUT', headers: text, body });
    expect(plain.status).toBe(415);
    expect(bench.double.level).toBe('debug');
  });
});

describe('who may', () => {
  const CHANGES = [
    ['POST', '/sessions/s1/kick'],
    ['POST', '/drain'],
    ['PUT', '/log/level'],
  ] as const;
  const question = (method: string, headers: Record<string, string>) =>
    method === 'PUT'
      ? { method, headers: { ...headers, ...JSON_TYPE }, body: '{"level":"trace"}' }
      : { method, headers };

  it.each(CHANGES)(
    '%s %s: nobody behind a page or a proxy, without a token',
    async (method, path) => {
      for (const headers of [
        { origin: 'http://127.0.0.1:8080' },
        { 'x-forwarded-for': '127.0.0.1' },
        { forwarded: 'for=127.0.0.1' },
        { host: 'rebound.example' },
        { 'sec-fetch-site': 'cross-site' },
      ]) {
        const answer = await bench.ask(path, question(method, headers));
        expect([headers, answer.status]).toEqual([headers, 401]);
      }
      expect([bench.double.done, bench.double.level]).toEqual([[], 'info']);
      expect(bench.metrics.ops.adminRefused.value).toBe(5);
    },
  );

  it.each(CHANGES)('%s %s: whoever brings the token in its header', async (method, path) => {
    const token = 'a-token-of-some-length';
    const guarded = bench.build({ adminToken: token, metricsAddr: null });
    await guarded.start();
    const ask = (url: string, headers: Record<string, string>) =>
      bench.ask(url, question(method, headers), guarded.httpPort);
    try {
      const refused = await ask(path, {});
      expect(refused.status).toBe(401);
      expect(refused.headers['www-authenticate']).toBe('Bearer');
      expect(JSON.parse(refused.text).error).toContain('ops.admin_token');
      expect((await ask(`${path}?token=${token}&access_token=${token}`, {})).status).toBe(401);
      expect((await ask(path, { authorization: 'Bearer wrong' })).status).toBe(401);
      expect([bench.double.done, bench.double.level]).toEqual([[], 'info']);
      const right = await ask(path, {
        authorization: `Bearer ${token}`,
        origin: 'https://console',
      });
      expect(right.status).toBeLessThan(300);
    } finally {
      await guarded.stop();
    }
  });

  it('everyone may look', async () => {
    const headers = { origin: 'http://page.example' };
    for (const path of ['/stats', '/sessions/s1', '/log/level', '/ping']) {
      expect([path, (await bench.ask(path, { headers })).status]).toEqual([path, 200]);
    }
  });
});

describe('bad requests', () => {
  it.each([
    '/sessions/..%2f..%2fetc%2fpasswd',
    '/sessions/%2e%2e',
    '/sessions/../../etc/passwd',
    '/..%2f..%2fpackage.json',
    '/sessions/s1%00',
    `/sessions/${'a'.repeat(65)}`,
    '/sessions/',
    '//stats',
  ])('finds nothing at %s', async (path) => {
    expect((await bench.ask(path)).status).toBe(404);
  });

  it('refuses broken escapes, long URLs and large bodies in JSON', async () => {
    const broken = await bench.ask('/sessions/%zz');
    expect([broken.status, Object.keys(JSON.parse(broken.text))]).toEqual([400, ['error']]);
    expect((await bench.ask(`/stats?openid=${'x'.repeat(3_000)}`)).status).toBe(414);
    expect((await bench.ask(`/sessions/${'a'.repeat(500)}`)).status).toBe(414);
    const large = await put(JSON.stringify({ level: 'x'.repeat(20_000) }));
    expect([large.status, Object.keys(JSON.parse(large.text))]).toEqual([413, ['error']]);
    expect((await bench.ask('/ping', { method: 'DELETE' })).headers.allow).toBe('GET');
    const wrong = await bench.ask('/sessions/s1/kick');
    expect([wrong.status, wrong.headers.allow]).toEqual([405, 'POST']);
    expect((await bench.ask('/log/level', { method: 'POST' })).headers.allow).toBe('GET, PUT');
  });

  it('refuses a stranger before it has read the body', async () => {
    const socket = connect(bench.ops.httpPort, '127.0.0.1');
    await once(socket, 'connect');
    socket.write(
      'PUT /log/level HTTP/1.1\r\nhost: other.example\r\ncontent-type: application/json\r\n' +
        'content-length: 10000\r\n\r\n{',
    );
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 401 /);
    socket.destroy();
  });

  it('cuts off whoever dribbles, while others are served', async () => {
    const hasty = bench.build({ metricsAddr: null, requestTimeout: 1_500 });
    await hasty.start();
    const slow = [
      'PUT /log/level HTTP/1.1\r\nhost: localhost\r\ncontent-length: 99\r\n\r\n{',
      'GET /st',
    ];
    const closed = slow.map(async (bytes) => {
      const socket = connect(hasty.httpPort, '127.0.0.1');
      socket.on('error', () => undefined).resume();
      await once(socket, 'connect');
      socket.write(bytes);
      await once(socket, 'close');
    });
    // The limit holds for these, too, where the machine stands still.
    const served = () =>
      until(() =>
        bench.ask('/ping', {}, hasty.httpPort).then(
          ({ status }) => status === 200,
          () => false,
        ),
      );
    await served();
    await Promise.all(closed);
    await served();
    await hasty.stop();
  });
});
