import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { connect } from 'node:net';
import { openApiDocument } from '../../src/ops/openapi/document.js';
import type { OpsServer } from '../../src/ops/ops-server.js';
import { HeardStream } from '../support/heard-stream.js';
import { OpsBench } from '../support/ops-double.js';
import { until } from '../support/until.js';

const TOKEN = 'a-token-of-sixteen-and-more';
const ADMIN = { authorization: 'Bearer an-admin-token-of-sixteen' };

describe('GET /stats/stream', () => {
  let bench: OpsBench;
  let ops: OpsServer;
  const streams: HeardStream[] = [];

  beforeEach(() => {
    bench = new OpsBench();
  });

  afterEach(async () => {
    for (const stream of streams.splice(0)) stream.close();
    await ops.stop();
    await bench.stop();
  });

  async function serve(tokens: object = {}): Promise<void> {
    ops = bench.build({ metricsAddr: null, ...tokens });
    await ops.start();
  }

  async function listen(headers: Record<string, string> = {}): Promise<HeardStream> {
    const stream = await HeardStream.open(ops.httpPort, '/stats/stream', headers);
    streams.push(stream);
    return stream;
  }

  it('tells who listens, what was, and what is, at once and each second', async () => {
    await serve();
    const stream = await listen();
    expect(stream.response.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
    });
    await stream.until('sample', 1);
    expect(stream.events.map(({ name }) => name)).toEqual(['hello', 'history', 'sample']);
    expect(stream.events[0]?.data).toMatchObject({ version: '1.2.3', admin: true });
    bench.clock.advance(1_000);
    bench.clock.advance(1_000);
    const samples = await stream.until('sample', 3);
    const times = samples.map(({ data }) => (data['point'] as { at_ms: number }).at_ms);
    expect(times.map((at) => at - (times[0] ?? 0))).toEqual([0, 1_000, 2_000]);
  });

  it('tells since when the gateway runs by the wall clock as it is now', async () => {
    await serve();
    bench.clock.advance(60_000);
    bench.clock.stepWall(-3_600_000);
    const [hello] = await (await listen()).until('hello', 1);
    const started = Math.floor((bench.clock.wallTime() - 60_000) / 1000);
    expect(hello?.data).toMatchObject({ started });
  });

  it('tells what /stats, /health and /performance tell, and no session', async () => {
    await serve();
    const [sample] = await (await listen()).until('sample', 1);
    const { components } = openApiDocument('1');
    const ajv = new Ajv2020({ strict: false });
    ajv.addSchema({ components }, 'openapi');
    const { zones, overload, performance } = sample?.data ?? {};
    for (const [name, body] of Object.entries({ Overload: overload, Performance: performance })) {
      const validate = ajv.compile({ $ref: `openapi#/components/schemas/${name}` });
      expect([name, validate(body) ? [] : validate.errors]).toEqual([name, []]);
    }
    expect(zones).toMatchObject([{ zone: '001', sessions: 250, upstreams: [{ state: 'ok' }] }]);
    expect(sample?.data).toMatchObject({
      state: 'serving',
      total_sessions: 250,
      warnings: ['zone 002 is empty'],
    });
    expect(sample?.data['sessions']).toBeUndefined();
  });

  it('makes rates and percentiles of what happened since the last sample', async () => {
    await serve();
    const stream = await listen();
    await stream.until('sample', 1);
    const { traffic } = bench.double;
    traffic.requests += 30;
    traffic.bytesOut += 5_000;
    for (const ms of [1, 1, 1, 9]) bench.metrics.session.latency.record(ms);
    bench.clock.advance(1_000);
    bench.clock.advance(1_000);
    const points = (await stream.until('sample', 3)).map(({ data }) => data['point']);
    const latency = (found: unknown) => Math.round((found as { request_p50: number }).request_p50);
    expect(points[0]).toMatchObject({ requests: null, request_p50: null, lag_ms: null });
    expect(points[1]).toMatchObject({ requests: 30, bytes_out: 5_000, pushes: 0 });
    expect(latency(points[1])).toBe(1);
    expect(points[2]).toMatchObject({ requests: 0, bytes_out: 0, request_p50: null });
  });

  it('takes one sample for all listeners, and gives a late one what was before', async () => {
    await serve();
    const first = await listen();
    await first.until('sample', 1);
    bench.clock.advance(1_000);
    await first.until('sample', 2);
    const asked = bench.double.asked;
    const second = await listen();
    const [history] = await second.until('history', 1);
    await second.until('sample', 1);
    expect(history?.data['at_ms']).toHaveLength(2);
    expect(bench.double.asked).toBe(asked);
    bench.clock.advance(1_000);
    await Promise.all([first.until('sample', 3), second.until('sample', 2)]);
    expect(bench.double.asked).toBe(asked + 1);
  });

  it('computes nothing while nobody listens', async () => {
    await serve();
    const before = bench.clock.pending;
    const stream = await listen();
    await stream.until('sample', 1);
    expect(bench.clock.pending).toBe(before + 1);
    stream.close();
    await until(() => bench.clock.pending === before);
    const asked = bench.double.asked;
    bench.clock.advance(10_000);
    expect(bench.double.asked).toBe(asked);
  });

  it('takes so many listeners and no more, until one leaves', async () => {
    await serve();
    const all = await Promise.all(Array.from({ length: 32 }, () => listen()));
    const refused = await bench.ask('/stats/stream', {}, ops.httpPort);
    expect([refused.status, refused.text]).toEqual([503, expect.stringContaining('32 listen')]);
    all[0]?.close();
    await until(async () => (await listen()).response.statusCode === 200);
  });

  // Node stops reading where much waits to be written: the next sample finds that the connection is lost.
  it.each([
    [5, 0],
    [12, 1_000],
  ])('forgets %d listeners of a lost connection, at once or by %d ms', async (count, wait) => {
    await serve();
    const before = bench.clock.pending;
    const socket = connect({ host: '127.0.0.1', port: ops.httpPort });
    socket.on('error', () => undefined).resume();
    socket.write('GET /stats/stream HTTP/1.1\r\nhost: gateway\r\n\r\n'.repeat(count));
    await until(() => bench.clock.pending > before);
    while ((await listen()).response.statusCode === 200);
    for (const stream of streams.splice(0)) stream.close();
    socket.destroy();
    await until(() => {
      bench.clock.advance(wait);
      return bench.clock.pending === before;
    });
  });

  it('is for readers, and tells whether its listener is an admin', async () => {
    await serve({ readToken: TOKEN, adminToken: 'an-admin-token-of-sixteen' });
    expect((await bench.ask('/stats/stream', {}, ops.httpPort)).status).toBe(401);
    const reader = await listen({ authorization: `Bearer ${TOKEN}` });
    const admin = await listen(ADMIN);
    expect((await reader.until('hello', 1))[0]?.data).toMatchObject({ admin: false });
    expect((await admin.until('hello', 1))[0]?.data).toMatchObject({ admin: true });
  });

  it('ends with the listener', async () => {
    await serve();
    const stream = await listen();
    await stream.until('sample', 1);
    await ops.stop();
    await until(() => stream.ended);
    expect(bench.clock.pending).toBe(0);
  });
});
