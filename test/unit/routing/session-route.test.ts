import { describe, expect, test } from '@jest/globals';
import { GrpcStatus } from '../../../src/grpc/unary-caller.js';
import { RouterBench } from '../../support/upstream-router-bench.js';
import {
  RecordedRequest,
  codeOf,
  openidsOfZone,
  send,
  turn,
} from '../../support/upstream-requests.js';

const openid = openidsOfZone('001', 1)[0] as string;
const A = '10.0.0.1:9001';
const B = '10.0.0.2:9001';

/** Two instances; `first` is the one that the openid goes to. */
async function pair(bench: RouterBench): Promise<{ first: string; second: string }> {
  await bench.register(A);
  await bench.register(B);
  const probe = send(bench.router.routeFor(openid), openid, 1);
  const call = bench.network.last();
  call.answer();
  await codeOf(probe);
  return call.address === A ? { first: A, second: B } : { first: B, second: A };
}

describe('one request', () => {
  test('reaches the upstream whole and brings its answer', async () => {
    const bench = new RouterBench();
    await bench.register(A);
    const route = bench.router.routeFor(openid);
    expect(route.zone).toBe('001');
    const request = send(route, openid, 7, 'login');
    expect({ ...bench.network.last().request }).toEqual({
      sessionId: 'session-1',
      openid,
      action: 'login',
      params: { key: 'value' },
      data: Buffer.from('data 7'),
      headers: { header: 'text' },
      clientSeqId: 7,
    });
    expect(request.code).toBeNull();
    bench.network.last().answer(207, 7);
    expect(await codeOf(request)).toBe(207);
  });

  test('its bytes are its own: the read buffer may be reused at once', async () => {
    const bench = new RouterBench();
    await bench.register(A);
    const buffer = Buffer.from('before');
    bench.router.routeFor(openid).dispatch(new RecordedRequest(openid, 1, 'echo', buffer));
    buffer.fill('x');
    expect(Buffer.from(bench.network.last().request.data).toString()).toBe('before');
  });

  test('without an upstream for the zone it is 503, not before dispatch has returned', async () => {
    const bench = new RouterBench();
    await bench.register(A, '002');
    const request = send(bench.router.routeFor(openid), openid, 1);
    expect(request.outcomes).toHaveLength(0);
    expect(await codeOf(request)).toBe(503);
    expect(bench.rejected('no_upstream')).toBe(1);
    expect(bench.router.view().concurrent).toBe(0);
  });

  test.each([
    [GrpcStatus.DEADLINE_EXCEEDED, false, 504],
    [GrpcStatus.UNAVAILABLE, false, 504],
    [GrpcStatus.CANCELLED, false, 504],
    [GrpcStatus.UNAVAILABLE, true, 502],
    [GrpcStatus.DEADLINE_EXCEEDED, true, 502],
    [GrpcStatus.INTERNAL, false, 502],
    [GrpcStatus.RESOURCE_EXHAUSTED, false, 502],
    [GrpcStatus.UNIMPLEMENTED, false, 502],
  ])('status %d, never sent %p, is %d', async (status, neverSent, code) => {
    const bench = new RouterBench();
    await bench.register(A);
    const request = send(bench.router.routeFor(openid), openid, 1);
    bench.network.last().fail(status, neverSent);
    expect(await codeOf(request)).toBe(code);
    expect(bench.view(A)).toMatchObject({ requests: 1, failures: 1, inFlight: 0 });
  });

  test('a burst that met its deadline behind a busy upstream is 504, and ejects nobody', async () => {
    const bench = new RouterBench();
    await bench.register(A);
    await bench.register(B);
    for (let seq = 1; seq <= 10; seq++) {
      const request = send(bench.router.routeFor(openid), openid, seq);
      bench.network.last().expireBusy();
      expect(await codeOf(request)).toBe(504);
    }
    expect([A, B].map((address) => bench.view(address)?.state)).toEqual(['ok', 'ok']);
  });

  test('names no address to the client', async () => {
    const bench = new RouterBench();
    await bench.register(A);
    const request = send(bench.router.routeFor(openid), openid, 1);
    bench.network.last().fail(GrpcStatus.UNAVAILABLE, true, `connect ECONNREFUSED ${A}`);
    expect(JSON.stringify(await request.outcome)).not.toContain('10.0.0');
    expect(bench.view(A)?.lastError).toContain(A);
  });

  test.each([
    ['bytes that are no message', Buffer.from([0xff, 0xff, 0xff])],
    ['the answer to another request', Buffer.from([0x08, 0xc8, 0x01, 0x28, 0x09])],
  ])('%s is garbage: 502, and the upstream stays', async (_, bytes) => {
    const bench = new RouterBench();
    await bench.register(A);
    const request = send(bench.router.routeFor(openid), openid, 8);
    bench.network.last().respond(bytes);
    expect(await codeOf(request)).toBe(502);
    expect(bench.view(A)).toMatchObject({ state: 'ok', failures: 1 });
  });

  test('a late answer is discarded', async () => {
    const bench = new RouterBench({ upstreamTimeoutMs: 500 });
    await bench.register(A);
    const request = send(bench.router.routeFor(openid), openid, 1);
    expect(bench.network.last().deadline).toBe(500);
    bench.clock.advance(500);
    expect(await codeOf(request)).toBe(504);
    bench.network.last().answer();
    await turn();
    expect(request.outcomes).toHaveLength(1);
  });

  test('an outcome that makes the session throw harms nobody', async () => {
    const bench = new RouterBench();
    await bench.register(A);
    const route = bench.router.routeFor(openid);
    const request = new RecordedRequest(openid, 1);
    request.onOutcome = () => {
      throw new Error('session bug');
    };
    route.dispatch(request);
    bench.network.last().answer();
    const next = send(route, openid, 2);
    bench.network.last().answer();
    expect(await codeOf(next)).toBe(200);
  });
});

describe('order and stickiness', () => {
  test('all requests of a session go to one instance, in order', async () => {
    const bench = new RouterBench();
    const { first } = await pair(bench);
    const route = bench.router.routeFor(openid);
    for (let seq = 2; seq <= 6; seq++) send(route, openid, seq);
    const calls = bench.network.calls.slice(1);
    expect(calls.map((call) => call.request.clientSeqId)).toEqual([2, 3, 4, 5, 6]);
    expect(new Set(calls.map((call) => call.address))).toEqual(new Set([first]));
  });

  test('a new instance takes over only with nothing in flight', async () => {
    const bench = new RouterBench();
    // Whichever of the two the openid prefers comes second.
    const { first, second } = await pair(new RouterBench());
    await bench.register(second);
    const route = bench.router.routeFor(openid);
    send(route, openid, 1);
    await bench.register(first);
    send(route, openid, 2);
    expect(bench.network.open().map((call) => call.address)).toEqual([second, second]);
    for (const call of bench.network.open()) call.answer();
    send(route, openid, 3);
    expect(bench.network.last().address).toBe(first);
  });

  test('serialize sends the next request after the answer to the last', async () => {
    const bench = new RouterBench({ serialize: true });
    await bench.register(A);
    const route = bench.router.routeFor(openid);
    const requests = [1, 2, 3].map((seq) => send(route, openid, seq));
    for (const seq of [1, 2, 3]) {
      expect(bench.network.open().map((call) => call.request.clientSeqId)).toEqual([seq]);
      bench.network.last().answer();
      await turn();
    }
    expect(requests.map((request) => request.code)).toEqual([200, 200, 200]);
  });

  test('with serialize no request waits longer than the timeout', async () => {
    const bench = new RouterBench({ serialize: true, upstreamTimeoutMs: 1_000 });
    await bench.register(A);
    const route = bench.router.routeFor(openid);
    const first = send(route, openid, 1);
    bench.clock.advance(400);
    const second = send(route, openid, 2);
    bench.clock.advance(600);
    await turn();
    expect(first.code).toBe(504);
    expect(bench.network.last().deadline).toBe(400);
    bench.clock.advance(400);
    await turn();
    expect(second.code).toBe(504);
  });

  test('whatever a session may have in flight waits its turn, however many and large', async () => {
    const bench = new RouterBench({ serialize: true });
    await bench.register(A);
    const route = bench.router.routeFor(openid);
    const requests = Array.from({ length: 1_000 }, (_, index) => {
      const data = index < 64 ? Buffer.alloc(200_000) : Buffer.alloc(1);
      return new RecordedRequest(openid, index + 1, 'echo', data);
    });
    for (const request of requests) route.dispatch(request);
    for (const request of requests) {
      bench.network.last().answer();
      await codeOf(request);
    }
    expect(new Set(requests.map((request) => request.code))).toEqual(new Set([200]));
  });
});

describe('retry', () => {
  test('only what surely was not sent is tried on another instance', async () => {
    const bench = new RouterBench();
    const { first, second } = await pair(bench);
    const route = bench.router.routeFor(openid);
    const unsent = send(route, openid, 2);
    expect(bench.network.last().address).toBe(first);
    const bytes = bench.network.last().bytes;
    bench.network.last().refuse();
    expect(bench.network.last().address).toBe(second);
    expect(bench.network.last().bytes).toBe(bytes);
    bench.network.last().answer();
    expect(await codeOf(unsent)).toBe(200);
    expect(bench.metrics.upstream.retries.value).toBe(1);

    const sent = send(bench.router.routeFor(openid), openid, 3);
    const calls = bench.network.calls.length;
    bench.network.last().fail(GrpcStatus.UNAVAILABLE, false);
    expect(await codeOf(sent)).toBe(504);
    expect(bench.network.calls).toHaveLength(calls);
  });

  test('keeps the order: what follows waits until everything before it is decided', async () => {
    const bench = new RouterBench();
    const { first, second } = await pair(bench);
    const route = bench.router.routeFor(openid);
    send(route, openid, 2);
    send(route, openid, 3);
    const [two, three] = bench.network.open();
    expect([two?.address, three?.address]).toEqual([first, first]);
    two?.refuse();
    // 2 is now at the second instance; 4 must not overtake 3, which will turn out unsent as well.
    send(route, openid, 4);
    expect(bench.network.calls.filter((call) => call.request.clientSeqId === 4)).toHaveLength(0);
    three?.refuse();
    await turn();
    const atSecond = bench.network.calls.filter((call) => call.pending);
    expect(atSecond.map((call) => call.address)).toEqual([second, second, second]);
    expect(atSecond.map((call) => call.request.clientSeqId)).toEqual([2, 3, 4]);
  });

  test('the wait ends as well when the straggler was answered', async () => {
    const bench = new RouterBench();
    await pair(bench);
    const route = bench.router.routeFor(openid);
    send(route, openid, 2);
    const three = send(route, openid, 3);
    const calls = bench.network.open();
    calls[0]?.refuse();
    const four = send(route, openid, 4);
    calls[1]?.answer();
    expect(await codeOf(three)).toBe(200);
    await turn();
    for (const call of bench.network.open()) call.answer();
    expect(await codeOf(four)).toBe(200);
  });

  test('ends with 502 when every instance refuses', async () => {
    const bench = new RouterBench();
    await pair(bench);
    const request = send(bench.router.routeFor(openid), openid, 2);
    bench.network.last().refuse();
    bench.network.last().refuse();
    expect(await codeOf(request)).toBe(502);
    expect(bench.router.view().concurrent).toBe(0);
  });
});

describe('an instance to which no connection comes about', () => {
  test('gives its requests to another one in time, in order, and one that answers keeps its own', async () => {
    const bench = new RouterBench({ upstreamTimeoutMs: 4_000 });
    const { first, second } = await pair(bench);
    const route = bench.router.routeFor(openid);
    bench.network.silent.add(first);
    const requests = [2, 3].map((seq) => send(route, openid, seq));
    bench.clock.advance(999);
    expect(bench.network.last().address).toBe(first);
    bench.clock.advance(1);
    const sent = bench.network.open();
    expect(sent.map(({ address }) => address)).toEqual([second, second]);
    expect(sent.map(({ request }) => request.clientSeqId)).toEqual([2, 3]);
    expect(sent[0]?.deadline).toBe(3_000);
    // Connected, it may take as long as the timeout allows.
    bench.clock.advance(2_000);
    for (const call of sent) call.answer();
    expect(await Promise.all(requests.map(codeOf))).toEqual([200, 200]);
    expect(bench.metrics.upstream.retries.value).toBe(2);
    expect(bench.view(first)?.state).toBe('suspect');
  });

  test('keeps them where no other could take them', async () => {
    const bench = new RouterBench({ upstreamTimeoutMs: 4_000 });
    await bench.register(A);
    bench.network.silent.add(A);
    const request = send(bench.router.routeFor(openid), openid, 1);
    bench.clock.advance(3_999);
    expect(bench.network.open()).toHaveLength(1);
    bench.clock.advance(1);
    expect(await codeOf(request)).toBe(502);
  });

  test('keeps what it was given once it is connected', async () => {
    const bench = new RouterBench({ upstreamTimeoutMs: 4_000 });
    const { first } = await pair(bench);
    bench.network.silent.add(first);
    const request = send(bench.router.routeFor(openid), openid, 2);
    bench.network.silent.clear();
    bench.clock.advance(3_000);
    expect(bench.network.open().map(({ address }) => address)).toEqual([first]);
    bench.network.last().answer();
    expect(await codeOf(request)).toBe(200);
  });
});

describe('limits', () => {
  test('max concurrent refuses the next one with 503 and counts it', async () => {
    const bench = new RouterBench({ maxConcurrent: 2 });
    await bench.register(A);
    const route = bench.router.routeFor(openid);
    const [one] = [send(route, openid, 1), send(route, openid, 2)];
    const third = send(route, openid, 3);
    expect(await codeOf(third)).toBe(503);
    expect(bench.rejected('concurrency')).toBe(1);
    expect(await gauge(bench, 'gatesvr_upstream_concurrent')).toBe(2);
    bench.network.calls[0]?.answer();
    expect(await codeOf(one as RecordedRequest)).toBe(200);
    send(route, openid, 4);
    expect(bench.network.open()).toHaveLength(2);
  });

  test('bytes that wait, of all sessions together, are limited as well', async () => {
    const bench = new RouterBench({ serialize: true, maxConcurrentBytes: 3_000 });
    await bench.register(A);
    const sendLarge = (seq: number) => {
      const request = new RecordedRequest(openid, seq, 'echo', Buffer.alloc(1_400));
      bench.router.routeFor(openid).dispatch(request);
      return request;
    };
    const three = [1, 2, 3].map(sendLarge);
    expect(await codeOf(sendLarge(4))).toBe(503);
    expect(bench.rejected('bytes')).toBe(1);
    expect(await gauge(bench, 'gatesvr_upstream_bytes')).toBeGreaterThan(4_200);
    for (const call of bench.network.open()) call.answer();
    await Promise.all(three.map(codeOf));
    expect(await gauge(bench, 'gatesvr_upstream_bytes')).toBe(0);
    sendLarge(5);
    expect(bench.network.open()).toHaveLength(1);
  });

  test('drain finishes what is under way and refuses the rest', async () => {
    const bench = new RouterBench();
    await bench.register(A);
    const route = bench.router.routeFor(openid);
    const request = send(route, openid, 1);
    let drained = false;
    const drain = bench.router.drain().then(() => (drained = true));
    const late = send(route, openid, 2);
    expect(await codeOf(late)).toBe(503);
    expect(drained).toBe(false);
    expect(await bench.register(B)).toMatchObject({ errorCode: 'SHUTTING_DOWN' });
    bench.network.last().answer();
    await drain;
    expect(request.code).toBe(200);
  });

  test('stop ends what is under way, sent or waiting, and closes the channels', async () => {
    const bench = new RouterBench({ serialize: true });
    await bench.router.start();
    await bench.register(A);
    const route = bench.router.routeFor(openid);
    const sent = send(route, openid, 1);
    const waiting = send(route, openid, 2);
    await Promise.all([bench.router.stop(), bench.router.stop()]);
    expect(sent.code).toBe(504);
    expect(waiting.code).toBe(503);
    expect(bench.network.closed).toEqual([A]);
    expect(bench.network.calls).toHaveLength(1);
    bench.clock.advance(120_000);
    expect(bench.network.probes).toHaveLength(0);
  });
});

async function gauge(bench: RouterBench, name: string): Promise<number | undefined> {
  const metric = await bench.metrics.registry.getSingleMetric(name)?.get();
  return metric?.values[0]?.value;
}
