import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { connect } from 'node:net';
import { OpsBench } from '../support/ops-double.js';

let bench: OpsBench;

beforeEach(async () => {
  bench = new OpsBench();
  await bench.ops.start();
});

afterEach(() => bench.stop());

describe('the operators’ HTTP', () => {
  it('tells health as deployed dashboards read it, and more', async () => {
    bench.clock.advance(61_000);
    const { status, text, headers } = await bench.ask('/health');
    expect(status).toBe(200);
    expect(headers['content-type']).toContain('application/json');
    expect(JSON.parse(text)).toMatchObject({
      status: 'healthy',
      active_connections: 125,
      timestamp: Math.floor(bench.clock.wallTime() / 1000),
      version: '1.2.3',
      uptime_seconds: 61,
      ready: true,
      detached_sessions: 125,
      zones: [{ zone: '001', instances: [{ address: '127.0.0.1:9001', latency_ms: 1.23 }] }],
      warnings: ['zone 002 is empty'],
    });
  });

  it('tells how long the gateway has been up, also where the wall clock was set meanwhile', async () => {
    bench.clock.advance(61_000);
    bench.clock.stepWall(-3_600_000);
    expect(JSON.parse((await bench.ask('/health')).text)).toMatchObject({
      timestamp: Math.floor(bench.clock.wallTime() / 1000),
      uptime_seconds: 61,
    });
  });

  it('is ready only while the gateway serves, but alive and healthy all along', async () => {
    expect(await bench.ask('/ready')).toMatchObject({
      status: 200,
      text: '{"ready":true,"state":"serving"}',
    });
    bench.double.state = 'draining';
    expect(await bench.ask('/ready')).toMatchObject({
      status: 503,
      text: '{"ready":false,"state":"draining"}',
    });
    expect((await bench.ask('/live')).status).toBe(200);
    expect(JSON.parse((await bench.ask('/health')).text)).toMatchObject({
      status: 'healthy',
      ready: false,
    });
  });

  it('lists sessions as deployed dashboards read them', async () => {
    const body = JSON.parse((await bench.ask('/stats?limit=2')).text);
    expect(body).toEqual({
      total_sessions: 250,
      active_sessions: 125,
      pair: null,
      pending_frames: 31_125,
      in_flight: 250,
      traffic: {
        frames_received: 9,
        business_requests: 5,
        bytes_in: 100,
        bytes_out: 200,
        upstream_requests: 4,
        pushes_accepted: 3,
      },
      zones: [
        {
          zone: '001',
          sessions: 250,
          active_sessions: 125,
          pending_frames: 31_125,
          in_flight: 250,
          upstreams: [expect.objectContaining({ address: '127.0.0.1:9001', requests: 10 })],
        },
      ],
      overload: {
        connections: 130,
        current_qps: 1234.6,
        max_qps: null,
        event_loop_delay_ms: 1,
        refusing_connections: false,
        limited_addresses: 3,
      },
      next_offset: 2,
      next_cursor: expect.stringMatching(/^[\w-]+$/),
      timestamp: Math.floor(bench.clock.wallTime() / 1000),
      sessions: [
        expect.objectContaining({
          session_id: 's0',
          create_time: 1_700_000_000,
          last_activity: 1_700_000_005,
          pending_count: 0,
          ordered_queue: 0,
          remote_addr: '127.0.0.1:5000',
        }),
        expect.objectContaining({ session_id: 's1', state: 'detached', remote_addr: '' }),
      ],
    });
  });

  it('lists all sessions in pages', async () => {
    const seen: string[] = [];
    let offset: number | null = 0;
    for (let page = 0; offset !== null && page < 10; page++) {
      const body = JSON.parse((await bench.ask(`/stats?offset=${offset}`)).text) as {
        sessions: { session_id: string }[];
        next_offset: number | null;
      };
      seen.push(...body.sessions.map((session) => session.session_id));
      offset = body.next_offset;
    }
    expect(seen).toEqual(Array.from({ length: 250 }, (_, index) => `s${index}`));
    expect(JSON.parse((await bench.ask('/stats?offset=9999')).text)).toMatchObject({
      next_offset: null,
    });
  });

  it.each(['limit=0', 'limit=1001', 'limit=x', 'offset=-1', 'limit=1&limit=2', 'offset=1e3'])(
    'refuses ?%s',
    async (query) => {
      const { status, text } = await bench.ask(`/stats?${query}`);
      expect(status).toBe(400);
      expect(JSON.parse(text).error).toMatch(/must be a whole number from/);
    },
  );

  it('answers what it does not know in JSON', async () => {
    expect(await bench.ask('/nope')).toMatchObject({
      status: 404,
      text: '{"error":"no such page"}',
    });
    const posted = await bench.ask('/stats', { method: 'POST', body: '{}' });
    expect(posted).toMatchObject({ status: 405, text: '{"error":"use GET"}' });
    expect(posted.headers.allow).toBe('GET');
    const large = await bench
      .ask('/stats', { method: 'POST', body: 'x'.repeat(100_000) })
      .catch(() => null);
    expect([405, 413, undefined]).toContain(large?.status);
    const headers = await bench.ask(`/${'x'.repeat(20_000)}`);
    expect(headers).toMatchObject({ status: 431, text: '{"error":"the headers are too long"}' });
    const stranger = connect(bench.ops.httpPort, '127.0.0.1');
    stranger.on('error', () => undefined).write('FOO /health HTTP/1.1\r\n\r\n');
    let told = '';
    for await (const bytes of stranger) told += String(bytes);
    expect(told).toMatch(
      /^HTTP\/1\.1 400 Bad Request\r\n[^]*\{"error":"that is no HTTP request"\}$/,
    );
    expect((await bench.ask('/health')).status).toBe(200);
  });

  it('shows nothing of an internal failure', async () => {
    bench.double.broken = true;
    const { status, text } = await bench.ask('/health');
    expect(status).toBe(500);
    expect(text).toBe('{"error":"internal error, see the log"}');
  });
});

describe('the Prometheus listener', () => {
  it('exports the metrics and its health, and nothing else', async () => {
    bench.metrics.session.totalRequests.add(7);
    const { text, headers } = await bench.ask('/metrics', {}, bench.ops.metricsPort);
    expect(headers['content-type']).toContain('version=0.0.4');
    expect(text).toMatch(/^gatesvr_total_requests 7$/m);
    expect((await bench.ask('/health', {}, bench.ops.metricsPort)).status).toBe(200);
    expect((await bench.ask('/stats', {}, bench.ops.metricsPort)).status).toBe(404);
    expect((await bench.ask('/metrics')).status).toBe(404);
  });
});

describe('its life', () => {
  it('stops though clients keep connections open, and stops once', async () => {
    await bench.ask('/health');
    const idle = connect(bench.ops.httpPort, '127.0.0.1');
    await new Promise((resolve) => idle.once('connect', resolve));
    const closed = new Promise((resolve) => idle.once('close', resolve));
    idle.on('error', () => undefined).resume();
    idle.write('GET /health HT');
    await Promise.all([bench.ops.stop(), bench.ops.stop()]);
    await closed;
    await expect(bench.ask('/health')).rejects.toThrow();
  });

  it('says which port is in use, and leaves no listener behind', async () => {
    const taken = { host: '127.0.0.1', port: bench.ops.metricsPort };
    const second = bench.build({ metricsAddr: taken });
    await expect(second.start()).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      message: `server.metrics_addr 127.0.0.1:${taken.port} is in use by another process; stop it or choose another port`,
    });
    await expect(bench.ask('/health', {}, second.httpPort)).rejects.toThrow();
    const elsewhere = bench.build({ httpAddr: { host: '192.0.2.1', port: 0 } });
    await expect(elsewhere.start()).rejects.toMatchObject({ code: 'BAD_ADDRESS' });
  });

  it('listens on every interface without a host, and not at all when off', async () => {
    const all = bench.build({ httpAddr: { host: '', port: 0 }, metricsAddr: null });
    await all.start();
    expect(all.metricsPort).toBe(0);
    expect((await bench.ask('/live', {}, all.httpPort)).status).toBe(200);
    await all.stop();
    const none = bench.build({ httpAddr: null, metricsAddr: null });
    await none.start();
    await none.stop();
    await bench.build().stop();
  });

  it('answers one request of a connection at a time: what is sent before its answer ends the connection', async () => {
    const hasty = connect(bench.ops.httpPort, '127.0.0.1');
    let text = '';
    hasty.on('data', (bytes) => (text += bytes.toString()));
    const ended = new Promise((done) => hasty.once('close', done));
    hasty.write('GET /stats HTTP/1.1\r\nhost: here\r\n\r\n'.repeat(200));
    await ended;
    expect(text.match(/HTTP\/1\.1 200/g)).toHaveLength(1);
    expect(text).toContain('"sessions":');
    expect((await bench.ask('/live')).status).toBe(200);
  });
});
