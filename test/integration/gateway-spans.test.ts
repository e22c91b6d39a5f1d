import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Gateway } from '../../src/gateway/gateway.js';
import { GatewayClient } from '../../src/sdk/client/index.js';
import { FakeCollector, attributesOf } from '../support/fake-collector.js';
import { GatewayHarness, ZONES } from '../support/gateway-harness.js';
import { PATIENT_CLIENT } from '../support/patience.js';
import { until } from '../support/until.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';
const SERVER = 2;
const CLIENT = 3;
const ERROR = 2;

let harness: GatewayHarness;
let collector: FakeCollector;
/** Headers that upstreams were told, by request. */
let told: Record<string, string>[];
const clients: GatewayClient[] = [];

beforeEach(async () => {
  harness = new GatewayHarness();
  collector = new FakeCollector();
  told = [];
  await collector.start();
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await harness.close();
  await collector.stop();
});

async function gateway(settings: Record<string, string>): Promise<Gateway> {
  const started = await harness.gateway(settings);
  for (const zone of ZONES) {
    await harness.upstream(started, zone, (server) => {
      server.handle('hello', () => ({}));
      server.handle('echo', ({ headers, data }) => {
        told.push({ ...headers });
        return { data };
      });
    });
  }
  return started;
}

async function client({ quicPort }: Gateway): Promise<GatewayClient> {
  const address = `127.0.0.1:${quicPort}`;
  const made = new GatewayClient({ ...PATIENT_CLIENT, address, openid: 'ann', insecure: true });
  clients.push(made);
  await made.connect();
  return made;
}

describe('spans of requests', () => {
  it('join the trace of the request, and hand it on to the upstream', async () => {
    const serving = await gateway({
      'tracing.endpoint': collector.url,
      'tracing.sample_ratio': '0',
      // A stop that waited for nothing would take that long.
      'tracing.timeout': '10m',
      'tracing.service_name': 'gate-a',
      'tracing.headers': 'x-api-key=secret, x-tenant=7',
    });
    const ann = await client(serving);
    const headers = { traceparent: `00-${TRACE}-${SPAN}-01`, tracestate: 'vendor=1', lang: 'de' };
    await ann.request('echo', { headers });
    await ann.request('echo', { headers: { traceparent: `00-${TRACE}-${SPAN}-00` } });
    await ann.request('echo', { headers: { traceparent: 'nonsense' } });
    await ann.request('echo', {});
    await serving.stop();

    expect(collector.spans).toHaveLength(2);
    const server = collector.spans.find(({ kind }) => kind === SERVER);
    const call = collector.spans.find(({ kind }) => kind === CLIENT);
    expect(server).toMatchObject({
      name: 'gatesvr.request',
      traceId: TRACE,
      parentSpanId: SPAN,
      traceState: 'vendor=1',
    });
    expect(call).toMatchObject({ traceId: TRACE, parentSpanId: server?.spanId });
    expect(call?.events.map(({ name }) => name)).toEqual(['sent']);
    expect(attributesOf(server ?? { attributes: [] })).toMatchObject({
      'gatesvr.action': 'echo',
      'gatesvr.code': 200,
      'gatesvr.session_id': ann.sessionId,
    });
    expect(attributesOf(call ?? { attributes: [] })).toMatchObject({
      'rpc.system': 'grpc',
      'server.address': expect.stringContaining(':'),
      'gatesvr.zone': expect.stringMatching(/^00\d$/),
    });
    expect(collector.resource['service.name']).toBe('gate-a');
    expect(collector.headers).toMatchObject({ 'x-api-key': 'secret', 'x-tenant': '7' });
    expect(told).toEqual([
      { traceparent: `00-${TRACE}-${call?.spanId}-01`, tracestate: 'vendor=1', lang: 'de' },
      // What is not sampled is passed on as it came.
      { traceparent: `00-${TRACE}-${SPAN}-00` },
      { traceparent: 'nonsense' },
      {},
    ]);
    const text = await serving.metrics.registry.metrics();
    expect(text).toContain('gatesvr_spans_exported_total 2');
  });

  it('begin a trace where there is none, for the share that is sampled; errors are told', async () => {
    const serving = await gateway({
      'tracing.endpoint': collector.url,
      'tracing.sample_ratio': '1',
      'session.login_action': 'hello',
    });
    const ann = await client(serving);
    await ann.request('echo', {}).catch(() => undefined);
    await ann.request('hello', {});
    await ann.request('echo', {});
    await ann.request('nothing', {}).catch(() => undefined);
    await serving.stop();

    const servers = collector.spans.filter(({ kind }) => kind === SERVER);
    expect(new Set(servers.map(({ traceId }) => traceId)).size).toBe(servers.length);
    for (const server of servers) expect(server.parentSpanId ?? '').toBe('');
    const codes = servers.map((span) => attributesOf(span)['gatesvr.code']);
    expect(codes).toEqual([401, 200, 200, 404]);
    expect(servers.map(({ status }) => status.code ?? 0)).toEqual([ERROR, 0, 0, 0]);
    expect(told[0]?.['traceparent']).toMatch(new RegExp(`^00-${servers[2]?.traceId}-\\w{16}-01$`));
  });

  it('that nobody takes cost no request anything, are counted, and end a stop in time', async () => {
    collector.status = 400;
    const serving = await gateway({
      'tracing.endpoint': collector.url,
      'tracing.sample_ratio': '1',
      'tracing.timeout': '1s',
    });
    const ann = await client(serving);
    for (let count = 0; count < 3; count++) await ann.request('echo', { data: 'x' });
    await until(() => collector.asked > 0);
    await ann.request('echo', { data: 'x' });
    await collector.stop();
    await serving.stop();
    const text = await serving.metrics.registry.metrics();
    expect(text).toMatch(/gatesvr_spans_dropped_total\{reason="export"\} [1-9]/);
    expect(text).toContain('gatesvr_spans_exported_total 0');
    await collector.start();
  });

  it('are not made where no endpoint is configured', async () => {
    const serving = await gateway({});
    const ann = await client(serving);
    await ann.request('echo', { headers: { traceparent: `00-${TRACE}-${SPAN}-01` } });
    expect(told).toEqual([{ traceparent: `00-${TRACE}-${SPAN}-01` }]);
    expect(serving.sessions.environment.tracing.requests).toBeNull();
  });
});
