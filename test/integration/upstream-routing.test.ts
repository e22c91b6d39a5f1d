import { status } from '@grpc/grpc-js';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { Route } from '../../src/routing/router.js';
import { ForeignUpstream } from '../support/upstream-foreign.js';
import type { ForeignOptions, ForeignRequest } from '../support/upstream-foreign.js';
import { until } from '../support/until.js';
import { GatewayEdge } from '../support/upstream-gateway-edge.js';
import { codeOf, openidsOfZone, send } from '../support/upstream-requests.js';
import { PATIENCE_MS } from '../support/patience.js';
import { allIsRead } from '../support/until.js';

const openids = openidsOfZone('001', 20);
const openid = openids[0] as string;
const edges: GatewayEdge[] = [];
const upstreams: ForeignUpstream[] = [];

async function edgeOf(...args: ConstructorParameters<typeof GatewayEdge>): Promise<GatewayEdge> {
  const edge = new GatewayEdge(...args);
  edges.push(edge);
  return edge.start();
}

async function upstreamOf(options: ForeignOptions = {}): Promise<ForeignUpstream> {
  const upstream = new ForeignUpstream(options);
  upstreams.push(upstream);
  return upstream.start();
}

afterEach(async () => {
  await Promise.all(edges.splice(0).map((edge) => edge.stop()));
  for (const upstream of upstreams.splice(0)) upstream.kill();
});

/** Sends requests, one after the other, until one is answered: channels connect in their own time. */
async function untilServed(route: Route, firstSeq: number): Promise<void> {
  for (let seq = firstSeq, end = Date.now() + PATIENCE_MS; Date.now() < end; seq++) {
    if ((await codeOf(send(route, openid, seq))) === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('never served');
}

describe('a request over real gRPC', () => {
  test('arrives whole, and so does the answer', async () => {
    const upstream = await upstreamOf({
      process: async (request: ForeignRequest) => ({
        code: 207,
        message: 'done',
        data: Buffer.from(`answer to ${request.data.toString()}`),
        headers: { zone: '001' },
        client_seq_id: Number(request.client_seq_id),
      }),
    });
    const edge = await edgeOf();
    expect(await edge.register(upstream.address)).toMatchObject({ success: true, error_code: '' });
    const outcome = await send(edge.router.routeFor(openid), openid, 41, 'hello').outcome;
    expect(outcome).toMatchObject({
      kind: 'answered',
      response: { code: 207, message: 'done', headers: { zone: '001' }, clientSeqId: 41 },
    });
    if (outcome.kind === 'answered') {
      expect(Buffer.from(outcome.response.data).toString()).toBe('answer to data 41');
    }
    expect(upstream.requests).toEqual([
      {
        session_id: 'session-1',
        openid,
        action: 'hello',
        params: { key: 'value' },
        data: Buffer.from('data 41'),
        headers: { header: 'text' },
        client_seq_id: '41',
        timeout_ms: 0,
      },
    ]);
  });

  test('many requests of one session arrive in order at one of several instances', async () => {
    const both = [await upstreamOf(), await upstreamOf()];
    const edge = await edgeOf();
    for (const upstream of both) await edge.register(upstream.address);
    const sessions = openids.map((id) => ({ id, route: edge.router.routeFor(id) }));
    const answers: Promise<number | null>[] = [];
    for (let seq = 1; seq <= 30; seq++) {
      for (const { id, route } of sessions) answers.push(codeOf(send(route, id, seq)));
    }
    expect(new Set(await Promise.all(answers))).toEqual(new Set([200]));
    for (const { id } of sessions) {
      const seen = both.map(({ requests }) => requests.filter((request) => request.openid === id));
      const [used, ...others] = seen.filter((requests) => requests.length > 0);
      expect(others).toHaveLength(0);
      const order = used?.map((request) => Number(request.client_seq_id));
      expect(order).toEqual(Array.from({ length: 30 }, (_, index) => index + 1));
    }
    for (const { requests } of both) expect(requests.length).toBeGreaterThan(0);
  });

  test('an upstream that hangs or answers late: 504, and the late answer is discarded', async () => {
    let release: () => void = () => undefined;
    const late = new Promise<void>((resolve) => (release = resolve));
    const upstream = await upstreamOf({
      process: (request) => (request.action === 'late' ? late.then(() => ({ code: 200 })) : null),
    });
    const edge = await edgeOf({ upstreamTimeoutMs: 1_000 });
    await edge.register(upstream.address);
    const route = edge.router.routeFor(openid);
    const requests = [send(route, openid, 1, 'hang'), send(route, openid, 2, 'late')];
    expect(await Promise.all(requests.map(codeOf))).toEqual([504, 504]);
    release();
    await new Promise((resolve) => setTimeout(resolve, 60));
    for (const request of requests) expect(request.outcomes).toHaveLength(1);
  });

  test('an upstream that dies mid-request: 504, outcome unknown; never sent twice', async () => {
    const doomed = await upstreamOf({ process: () => null });
    const edge = await edgeOf();
    await edge.register(doomed.address);
    const route = edge.router.routeFor(openid);
    const request = send(route, openid, 1);
    await until(() => doomed.requests.length === 1, 'the request arrived');
    const other = await upstreamOf();
    await edge.register(other.address);
    doomed.kill();
    expect(await codeOf(request)).toBe(504);
    expect(other.requests).toHaveLength(0);
    await untilServed(route, 2);
  });

  test.each([
    ['garbage bytes', { rawResponse: Buffer.from([0xff, 0xff, 0xff, 0xff]) }],
    ['a wrong wire type', { rawResponse: Buffer.from([0x0a, 0x7f, 0x01]) }],
    ['another request’s number', { process: async () => ({ code: 200, client_seq_id: 99 }) }],
    [
      'more than a frame holds',
      { process: async () => ({ code: 200, data: Buffer.alloc(1_048_576) }) },
    ],
    [
      'more than gRPC takes',
      { process: async () => ({ code: 200, data: Buffer.alloc(5_000_000) }) },
    ],
    [
      'a gRPC error',
      { process: () => Promise.reject({ code: status.INTERNAL, details: 'panic' }) },
    ],
  ] as [string, ForeignOptions][])('an upstream that answers %s: 502', async (_, options) => {
    const upstream = await upstreamOf(options);
    const edge = await edgeOf();
    await edge.register(upstream.address);
    expect(await codeOf(send(edge.router.routeFor(openid), openid, 1))).toBe(502);
    expect(edge.instance(upstream.address)?.state).toBe('ok');
  });

  test('a number of 0 in the answer is fine', async () => {
    const upstream = await upstreamOf({ process: async () => ({ code: 200, client_seq_id: 0 }) });
    const edge = await edgeOf();
    await edge.register(upstream.address);
    expect(await codeOf(send(edge.router.routeFor(openid), openid, 5))).toBe(200);
  });
});

describe('instances that come and go', () => {
  test('nobody listens: 502; it listens later: 200', async () => {
    const upstream = await upstreamOf();
    upstream.kill();
    const edge = await edgeOf();
    // As deployed upstreams do: register first, listen then.
    await edge.register(upstream.address);
    const route = edge.router.routeFor(openid);
    expect(await codeOf(send(route, openid, 1))).toBe(502);
    await upstream.start();
    await untilServed(route, 2);
  });

  test('a dead instance is ejected, its sessions are served, and it comes back by itself', async () => {
    const both = [await upstreamOf(), await upstreamOf()];
    const edge = await edgeOf();
    for (const upstream of both) await edge.register(upstream.address);
    const [dying, living] = both as [ForeignUpstream, ForeignUpstream];
    dying.kill();
    // A probe may have connected to it: then the gateway must have seen the end of that connection.
    await allIsRead();
    for (let round = 1; round <= 3; round++) {
      const codes = openids.map((id) => codeOf(send(edge.router.routeFor(id), id, round)));
      expect(new Set(await Promise.all(codes))).toEqual(new Set([200]));
    }
    await until(() => edge.instance(dying.address)?.state === 'ejected', 'ejection');
    expect(edge.instance(living.address)?.state).toBe('ok');
    const before = dying.requests.length;
    await dying.start();
    await until(() => edge.instance(dying.address)?.state === 'ok', 'recovery');
    const codes = openids.map((id) => codeOf(send(edge.router.routeFor(id), id, 9)));
    expect(new Set(await Promise.all(codes))).toEqual(new Set([200]));
    expect(dying.requests.length).toBeGreaterThan(before);
  });

  test.each<[string, ForeignOptions, string[]]>([
    ['GetStatus', {}, ['GetStatus']],
    ['grpc.health.v1', { health: 'SERVING' }, ['Check']],
    ['neither', { servesStatus: false }, []],
  ])('an idle upstream that serves %s stays well', async (_, options, probes) => {
    const upstream = await upstreamOf(options);
    const edge = await edgeOf();
    await edge.register(upstream.address);
    await new Promise((resolve) => setTimeout(resolve, 400));
    await until(() => edge.instance(upstream.address)?.state === 'ok', 'it is well');
    await until(() => probes.every((name) => upstream.probes.includes(name)), 'it was asked');
    expect([...new Set(upstream.probes)]).toEqual(probes);
  });

  test('one whose health says NOT_SERVING is ejected', async () => {
    const sick = await upstreamOf({ health: 'NOT_SERVING' });
    const well = await upstreamOf();
    const edge = await edgeOf();
    for (const upstream of [sick, well]) await edge.register(upstream.address);
    await until(() => edge.instance(sick.address)?.state === 'ejected', 'ejection');
    expect(edge.instance(sick.address)?.lastError).toContain('NOT_SERVING');
  });
});

describe('GatewayService over real gRPC', () => {
  test('a host-less registration means the caller’s host, IPv4 and IPv6', async () => {
    const edge = await edgeOf({}, '[::]');
    expect(await edge.register(':9001', '002', '127.0.0.1')).toMatchObject({ success: true });
    expect(edge.instance('127.0.0.1:9001')).toBeDefined();
    expect(await edge.register(':9002', '002', '[::1]')).toMatchObject({ success: true });
    expect(edge.instance('[::1]:9002')).toBeDefined();
  });

  test('an upstream that registered as :port is really reached', async () => {
    const upstream = await upstreamOf();
    const edge = await edgeOf();
    await edge.register(`:${upstream.port}`);
    expect(await codeOf(send(edge.router.routeFor(openid), openid, 1))).toBe(200);
  });

  test('every refusal is an answer with its code, never a gRPC error', async () => {
    const live = await upstreamOf();
    const edge = await edgeOf();
    const refusals = [
      ['nonsense', '001', 'INVALID_ADDRESS'],
      [live.address, '009', 'INVALID_ZONE_ID'],
      [live.address, '002', 'ADDRESS_TAKEN'],
    ] as const;
    await edge.register(live.address, '001');
    for (const [address, zone, code] of refusals) {
      expect(await edge.register(address, zone)).toMatchObject({
        success: false,
        error_code: code,
      });
    }
    live.kill();
    expect(await edge.register(live.address, '002')).toMatchObject({ success: true });
  });

  test('pushes and broadcasts reach the sink', async () => {
    const edge = await edgeOf();
    const client = edge.client();
    const push = {
      target_type: 'session',
      target_id: 'session-1',
      msg_type: 'notice',
      title: 'Title',
      data: Buffer.from('data'),
      metadata: { key: 'value' },
      sync_hint: 'NSH_AFTER_RESPONSE',
      bind_client_seq_id: 7,
    };
    expect(await client.call('PushToClient', push)).toMatchObject({ success: true });
    expect(edge.pushes.pushes[0]).toMatchObject({
      targetType: 'session',
      targetId: 'session-1',
      msgType: 'notice',
      metadata: { key: 'value' },
      syncHint: 2,
      bindClientSeqId: 7,
      data: Buffer.from('data'),
    });
    expect(await client.call('PushToClient', { ...push, target_type: 'x' })).toMatchObject({
      success: false,
      error_code: 'INVALID_TARGET_TYPE',
    });
    expect(await client.call('BroadcastToClients', { title: 'All' })).toMatchObject({
      sent_count: 7,
    });
  });

  test('oversize: TOO_LARGE from the gateway, RESOURCE_EXHAUSTED from gRPC, and it lives on', async () => {
    const edge = await edgeOf();
    const client = edge.client();
    const push = { target_type: 'openid', target_id: 'alice' };
    const large = { ...push, data: Buffer.alloc(2_000_000) };
    expect(await client.call('PushToClient', large)).toMatchObject({ error_code: 'TOO_LARGE' });
    const huge = { ...push, data: Buffer.alloc(5_000_000) };
    await expect(client.call('PushToClient', huge)).rejects.toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
    });
    expect(await client.call('PushToClient', push)).toMatchObject({ success: true });
  });
});
