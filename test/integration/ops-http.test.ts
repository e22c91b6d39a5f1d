import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Agent, request } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { OpsServer } from '../../src/ops/ops-server.js';
import type { OpsServerParts } from '../../src/ops/ops-server.js';
import type { OpsSource, SessionPage, SessionView } from '../../src/ops/ops-source.js';
import { silentLogger } from '../../src/telemetry/log.js';
import { Metrics } from '../../src/telemetry/metrics.js';
import { FakeClock } from '../support/fake-clock.js';

const loopback = { host: '127.0.0.1', port: 0 };

function sessionView(index: number): SessionView {
  return {
    sessionId: `s${index}`,
    openid: `user-${index}`,
    state: index % 2 === 0 ? 'active' : 'detached',
    zone: '001',
    createdAt: 1_700_000_000_999,
    lastActivity: 1_700_000_005_000,
    pendingCount: index,
    orderedQueue: 0,
    inFlight: 1,
    remoteAddress: index % 2 === 0 ? '127.0.0.1:5000' : '',
  };
}

/** A gateway of 250 sessions. */
class Source implements OpsSource {
  ready = true;
  broken = false;
  private readonly sessions = Array.from({ length: 250 }, (_, index) => sessionView(index));

  readiness() {
    return { ready: this.ready, state: this.ready ? 'serving' : 'draining' };
  }

  health() {
    if (this.broken) throw new Error('secret detail');
    const instance = {
      address: '127.0.0.1:9001',
      serviceName: 'demo',
      capabilities: [],
      state: 'ok' as const,
      consecutiveFailures: 0,
      inFlight: 2,
      requests: 10,
      failures: 1,
      lastError: '',
      latencyMs: 1.23456,
    };
    const routing = {
      zones: [{ zone: '001', instances: [instance] }],
      fallback: null,
      concurrent: 2,
    };
    return {
      activeConnections: 125,
      detachedSessions: 125,
      routing,
      warnings: ['zone 002 is empty'],
    };
  }

  stats({ offset, limit }: SessionPage) {
    const load = {
      connections: 130,
      qps: 1234.56,
      maxQps: Infinity,
      eventLoopDelay: 1.4,
      shedding: false,
      addresses: 3,
    };
    return { totalSessions: 250, load, sessions: this.sessions.slice(offset, offset + limit) };
  }
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

let source: Source;
let clock: FakeClock;
let metrics: Metrics;
let ops: OpsServer;
const agent = new Agent({ keepAlive: true });

function build(changes: Partial<OpsServerParts> = {}): OpsServer {
  return new OpsServer({
    httpAddr: loopback,
    metricsAddr: loopback,
    source,
    metrics,
    clock,
    log: silentLogger(),
    version: '1.2.3',
    ...changes,
  });
}

/** One request over a kept-alive connection. */
function ask(path: string, port = ops.httpPort, method = 'GET', body = ''): Promise<Answer> {
  return new Promise((resolve, reject) => {
    // What is refused early ends its connection, which nothing else must then reuse.
    const reuse = method === 'GET' && path.length < 1_000 && agent;
    const options = { host: '127.0.0.1', port, path, method, agent: reuse };
    const sent = request(options, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
      );
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

beforeEach(async () => {
  source = new Source();
  clock = new FakeClock();
  metrics = new Metrics();
  ops = build();
  await ops.start();
});

afterEach(async () => {
  await ops.stop();
});

describe('the operators’ HTTP', () => {
  it('tells health as deployed dashboards read it, and more', async () => {
    clock.advance(61_000);
    const { status, text, headers } = await ask('/health');
    expect(status).toBe(200);
    expect(headers['content-type']).toContain('application/json');
    expect(JSON.parse(text)).toMatchObject({
      status: 'healthy',
      active_connections: 125,
      timestamp: Math.floor(clock.wallTime() / 1000),
      version: '1.2.3',
      uptime_seconds: 61,
      ready: true,
      detached_sessions: 125,
      zones: [{ zone: '001', instances: [{ address: '127.0.0.1:9001', latency_ms: 1.23 }] }],
      warnings: ['zone 002 is empty'],
    });
  });

  it('is ready only while the gateway serves, but alive and healthy all along', async () => {
    expect(await ask('/ready')).toMatchObject({
      status: 200,
      text: '{"ready":true,"state":"serving"}',
    });
    source.ready = false;
    expect(await ask('/ready')).toMatchObject({
      status: 503,
      text: '{"ready":false,"state":"draining"}',
    });
    expect((await ask('/live')).status).toBe(200);
    expect(JSON.parse((await ask('/health')).text)).toMatchObject({
      status: 'healthy',
      ready: false,
    });
  });

  it('lists sessions as deployed dashboards read them', async () => {
    const body = JSON.parse((await ask('/stats?limit=2')).text);
    expect(body).toEqual({
      total_sessions: 250,
      overload: {
        connections: 130,
        current_qps: 1234.6,
        max_qps: null,
        event_loop_delay_ms: 1,
        refusing_connections: false,
        limited_addresses: 3,
      },
      next_offset: 2,
      timestamp: Math.floor(clock.wallTime() / 1000),
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
      const body = JSON.parse((await ask(`/stats?offset=${offset}`)).text) as {
        sessions: { session_id: string }[];
        next_offset: number | null;
      };
      seen.push(...body.sessions.map((session) => session.session_id));
      offset = body.next_offset;
    }
    expect(seen).toEqual(Array.from({ length: 250 }, (_, index) => `s${index}`));
    expect(JSON.parse((await ask('/stats?offset=9999')).text)).toMatchObject({ next_offset: null });
  });

  it.each(['limit=0', 'limit=1001', 'limit=x', 'offset=-1', 'limit=1&limit=2', 'offset=1e3'])(
    'refuses ?%s',
    async (query) => {
      const { status, text } = await ask(`/stats?${query}`);
      expect(status).toBe(400);
      expect(JSON.parse(text).error).toMatch(/must be a whole number from/);
    },
  );

  it('answers what it does not know in JSON', async () => {
    expect(await ask('/nope')).toMatchObject({ status: 404, text: '{"error":"no such page"}' });
    const posted = await ask('/stats', ops.httpPort, 'POST', '{}');
    expect(posted).toMatchObject({ status: 405, text: '{"error":"use GET"}' });
    expect(posted.headers.allow).toBe('GET');
    const large = await ask('/stats', ops.httpPort, 'POST', 'x'.repeat(100_000)).catch(() => null);
    expect([405, 413, undefined]).toContain(large?.status);
    const headers = await ask(`/${'x'.repeat(20_000)}`);
    expect(headers.status).toBe(431);
    expect((await ask('/health')).status).toBe(200);
  });

  it('shows nothing of an internal failure', async () => {
    source.broken = true;
    const { status, text } = await ask('/health');
    expect(status).toBe(500);
    expect(text).toBe('{"error":"internal error, see the log"}');
  });
});

describe('the Prometheus listener', () => {
  it('exports the metrics and its health, and nothing else', async () => {
    metrics.session.totalRequests.add(7);
    const { text, headers } = await ask('/metrics', ops.metricsPort);
    expect(headers['content-type']).toContain('version=0.0.4');
    expect(text).toMatch(/^gatesvr_total_requests 7$/m);
    expect((await ask('/health', ops.metricsPort)).status).toBe(200);
    expect((await ask('/stats', ops.metricsPort)).status).toBe(404);
    expect((await ask('/metrics')).status).toBe(404);
  });
});

describe('its life', () => {
  it('stops though clients keep connections open, and stops once', async () => {
    await ask('/health');
    const idle = connect(ops.httpPort, '127.0.0.1');
    await new Promise((resolve) => idle.once('connect', resolve));
    const closed = new Promise((resolve) => idle.once('close', resolve));
    idle.on('error', () => undefined).resume();
    idle.write('GET /health HT');
    await Promise.all([ops.stop(), ops.stop()]);
    await closed;
    await expect(ask('/health')).rejects.toThrow();
  });

  it('says which port is in use, and leaves no listener behind', async () => {
    const taken = { host: '127.0.0.1', port: ops.metricsPort };
    const second = build({ metricsAddr: taken });
    await expect(second.start()).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      message: `server.metrics_addr 127.0.0.1:${taken.port} is in use: stop what has it, or set another`,
    });
    await expect(ask('/health', second.httpPort)).rejects.toThrow();
    const elsewhere = build({ httpAddr: { host: '192.0.2.1', port: 0 } });
    await expect(elsewhere.start()).rejects.toMatchObject({ code: 'LISTEN_FAILED' });
  });

  it('listens on every interface without a host, and not at all when off', async () => {
    const all = build({ httpAddr: { host: '', port: 0 }, metricsAddr: null });
    await all.start();
    expect(all.metricsPort).toBe(0);
    expect((await ask('/live', all.httpPort)).status).toBe(200);
    await all.stop();
    const none = build({ httpAddr: null, metricsAddr: null });
    await none.start();
    await none.stop();
    await build().stop();
  });
});
