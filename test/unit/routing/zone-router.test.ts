import { describe, expect, test } from '@jest/globals';
import { GrpcStatus } from '../../../src/grpc/unary-caller.js';
import { ZoneRouter } from '../../../src/routing/zone-router.js';
import { silentLogger } from '../../../src/telemetry/log.js';
import { FakeClock } from '../../support/fake-clock.js';
import { RouterBench } from '../../support/upstream-router-bench.js';
import { codeOf, openidsOfZone, send } from '../../support/upstream-requests.js';

const openids = openidsOfZone('001', 40);
const openid = openids[0] as string;
const A = '10.0.0.1:9001';
const B = '10.0.0.2:9001';

/** Makes an instance dead by probes alone: 10 s to the first, then backoff. */
async function kill(bench: RouterBench, address: string): Promise<void> {
  bench.network.dead.add(address);
  await bench.clock.advanceAsync(70_000, 500);
}

describe('registration', () => {
  test('the same address and zone again is a success', async () => {
    const bench = new RouterBench();
    expect(await bench.register(A)).toMatchObject({ success: true, errorCode: '' });
    expect(await bench.register(A)).toMatchObject({ success: true, errorCode: '' });
    expect(bench.router.view().zones[0]?.instances).toHaveLength(1);
  });

  test('a host-less address is the caller’s', async () => {
    const bench = new RouterBench();
    await bench.register(':9001', '003', '::ffff:192.168.1.5:40000');
    expect(bench.view('192.168.1.5:9001')).toMatchObject({ serviceName: 'service', state: 'ok' });
  });

  test('bad address and bad zone have their codes and are counted', async () => {
    const bench = new RouterBench();
    expect(await bench.register('nonsense')).toMatchObject({ errorCode: 'INVALID_ADDRESS' });
    expect(await bench.register(A, '009')).toMatchObject({ errorCode: 'INVALID_ZONE_ID' });
    const { registrations } = bench.metrics.upstream;
    expect(registrations.of('INVALID_ADDRESS').value).toBe(1);
    expect(registrations.of('INVALID_ZONE_ID').value).toBe(1);
  });

  test('a live address is refused for another zone; a dead one moves there', async () => {
    const bench = new RouterBench();
    await bench.router.start();
    await bench.register(A, '001');
    expect(await bench.register(A, '002')).toMatchObject({
      success: false,
      errorCode: 'ADDRESS_TAKEN',
    });
    expect(bench.view(A)).toBeDefined();
    await kill(bench, A);
    expect(await bench.register(A, '002')).toMatchObject({ success: true });
    const zones = bench.router.view().zones.map((zone) => zone.instances.length);
    expect(zones).toEqual([0, 1, 0, 0, 0, 0]);
    await bench.router.stop();
  });

  test('an address whose process has just died moves at once: nobody listens there', async () => {
    const bench = new RouterBench();
    await bench.register(A, '001');
    bench.network.dead.add(A);
    expect(await bench.register(A, '002')).toMatchObject({ success: true });
    expect(bench.network.closed).toEqual([A]);
  });

  test('a zone full of live instances refuses the 65th; the longest dead one leaves for it', async () => {
    const bench = new RouterBench();
    await bench.router.start();
    for (let index = 1; index <= 64; index++) await bench.register(`10.0.1.${index}:9001`);
    expect(await bench.register('10.0.2.1:9001')).toMatchObject({ errorCode: 'ZONE_FULL' });
    expect(await bench.register('10.0.2.1:9001', '002')).toMatchObject({ success: true });
    await kill(bench, '10.0.1.7:9001');
    await kill(bench, '10.0.1.3:9001');
    expect(await bench.register('10.0.2.2:9001')).toMatchObject({ success: true });
    expect(bench.view('10.0.1.7:9001')).toBeUndefined();
    expect(bench.view('10.0.1.3:9001')?.state).toBe('ejected');
    await bench.router.stop();
  });

  test('deregistration takes the instance out, and only where the zone is right', async () => {
    const bench = new RouterBench();
    await bench.register(A);
    expect((await bench.deregister(A, '002')).success).toBe(false);
    expect((await bench.deregister(A, '009')).success).toBe(false);
    expect((await bench.deregister(A, '001')).success).toBe(true);
    expect((await bench.deregister(A, '001')).success).toBe(false);
    expect(await codeOf(send(bench.router.routeFor(openid), openid, 1))).toBe(503);
  });

  test('an instance that leaves may finish its calls, and the session moves on at once', async () => {
    const bench = new RouterBench({ upstreamTimeoutMs: 1_000 });
    await bench.register(A);
    const route = bench.router.routeFor(openid);
    const request = send(route, openid, 1);
    await bench.deregister(A);
    await bench.register(B);
    send(route, openid, 2);
    expect(bench.network.last().address).toBe(B);
    expect(bench.network.closed).toEqual([]);
    bench.network.calls[0]?.answer();
    expect(await codeOf(request)).toBe(200);
    bench.clock.advance(1_000);
    expect(bench.network.closed).toEqual([A]);
  });
});

describe('health', () => {
  test('the first probe comes 10 s after registration, then every 10 s', async () => {
    const bench = new RouterBench();
    await bench.router.start();
    await bench.register(A);
    await bench.clock.advanceAsync(9_999);
    expect(bench.network.probes).toHaveLength(0);
    await bench.clock.advanceAsync(1);
    // grpc.health.v1 is not served (UNIMPLEMENTED), so GetStatus is asked as well; then only that.
    expect(bench.network.probes.map((call) => call.method)).toEqual([
      '/grpc.health.v1.Health/Check',
      '/gatesvr.proto.UpstreamService/GetStatus',
    ]);
    await bench.clock.advanceAsync(10_000, 1_000);
    expect(bench.network.probes).toHaveLength(3);
    await bench.router.stop();
  });

  test('a refused request leaves the first probe its time, for it may not listen yet, and hastens later ones', async () => {
    const bench = new RouterBench();
    await bench.router.start();
    await bench.register(A);
    const refusedOnce = (seq: number): void => {
      send(bench.router.routeFor(openid), openid, seq);
      bench.network.last().refuse();
    };
    refusedOnce(1);
    await bench.clock.advanceAsync(9_999, 500);
    expect(bench.network.probes).toHaveLength(0);
    await bench.clock.advanceAsync(1);
    const first = bench.network.probes.length;
    expect(first).toBeGreaterThan(0);
    refusedOnce(2);
    await bench.clock.advanceAsync(1_000);
    expect(bench.network.probes.length).toBeGreaterThan(first);
    await bench.router.stop();
  });

  test('one that is dead before its first probe is probed soon, not to stay out once it listens', async () => {
    const bench = new RouterBench();
    await bench.router.start();
    await bench.register(A);
    for (let seq = 1; seq <= 5; seq++) {
      send(bench.router.routeFor(openid), openid, seq);
      bench.network.last().refuse();
    }
    await bench.clock.advanceAsync(1_000);
    expect(bench.network.probes.length).toBeGreaterThan(0);
    expect(bench.view(A)).toMatchObject({ state: 'ok', consecutiveFailures: 0 });
    await bench.router.stop();
  });

  test('a gateway that serves again after another served probes its fallback again', async () => {
    const bench = new RouterBench({ fallbackAddress: B });
    await bench.router.start();
    await bench.clock.advanceAsync(10_000, 1_000);
    const before = bench.network.probes.length;
    expect(before).toBeGreaterThan(0);
    bench.router.standDown();
    await bench.clock.advanceAsync(60_000, 1_000);
    expect(bench.network.probes).toHaveLength(before);
    bench.router.resume();
    bench.network.dead.add(B);
    await bench.clock.advanceAsync(11_000, 1_000);
    expect(bench.network.probes.length).toBeGreaterThan(before);
    expect(bench.view(B)?.state).toBe('suspect');
    await bench.router.stop();
  });

  test('an instance that shows life by its answers is not probed', async () => {
    const bench = new RouterBench();
    await bench.router.start();
    await bench.register(A);
    bench.clock.advance(9_000);
    const request = send(bench.router.routeFor(openid), openid, 1);
    bench.network.last().answer();
    await codeOf(request);
    await bench.clock.advanceAsync(5_000, 500);
    expect(bench.network.probes).toHaveLength(0);
    await bench.router.stop();
  });

  test('five refused requests eject an instance; a probe brings it back', async () => {
    const bench = new RouterBench();
    await bench.router.start();
    await bench.register(A);
    await bench.register(B);
    bench.network.dead.add(A);
    const routed = (): string[] =>
      openids.map((id) => {
        send(bench.router.routeFor(id), id, 1);
        const call = bench.network.last();
        if (call.address === A && bench.network.dead.has(A)) call.refuse();
        else call.answer();
        return call.address;
      });
    routed();
    expect(bench.view(A)).toMatchObject({ state: 'ejected', consecutiveFailures: 5 });
    expect(bench.metrics.upstream.ejections.value).toBe(1);
    expect(new Set(routed())).toEqual(new Set([B]));
    await bench.clock.advanceAsync(60_000, 500);
    expect(bench.view(A)?.state).toBe('ejected');
    bench.network.dead.delete(A);
    await bench.clock.advanceAsync(30_000, 500);
    expect(bench.view(A)).toMatchObject({ state: 'ok', consecutiveFailures: 0 });
    expect(new Set(routed())).toEqual(new Set([A, B]));
    await bench.router.stop();
  });

  test('what many requests fail by together, a refused dial or a lost connection, counts once', async () => {
    const bench = new RouterBench();
    await bench.router.start();
    await bench.register(A);
    const refused = (outage: number): void => {
      bench.network.outage = outage;
      const before = bench.network.calls.length;
      for (const id of openids.slice(0, 8)) send(bench.router.routeFor(id), id, 1);
      for (const call of bench.network.calls.slice(before)) call.refuse();
    };
    refused(1);
    expect(bench.view(A)).toMatchObject({ state: 'suspect', consecutiveFailures: 1, failures: 8 });
    refused(1);
    for (const outage of [2, 3, 4]) refused(outage);
    expect(bench.view(A)).toMatchObject({ consecutiveFailures: 4 });
    refused(5);
    expect(bench.view(A)).toMatchObject({ consecutiveFailures: 5 });
    await bench.router.stop();
  });

  test('failed probes back off up to 30 s', async () => {
    const bench = new RouterBench();
    await bench.router.start();
    await bench.register(A);
    bench.network.dead.add(A);
    const times: number[] = [];
    for (let second = 0; second < 160; second++) {
      const before = bench.network.probes.length;
      await bench.clock.advanceAsync(1_000);
      if (bench.network.probes.length > before) times.push(second + 1);
    }
    const gaps = times.slice(1).map((time, index) => time - (times[index] as number));
    expect(gaps.slice(0, 7)).toEqual([1, 2, 4, 8, 16, 30, 30]);
    await bench.router.stop();
  });

  test('the last instance of a zone is never ejected', async () => {
    const bench = new RouterBench();
    await bench.router.start();
    await bench.register(A);
    await bench.register(B);
    await kill(bench, A);
    await kill(bench, B);
    const states = [bench.view(A)?.state, bench.view(B)?.state];
    expect(states).toEqual(['ejected', 'suspect']);
    // B is dead but asked, for it is all there is; when A returns, B goes.
    send(bench.router.routeFor(openid), openid, 1);
    expect(bench.network.last().address).toBe(B);
    bench.network.last().answer();
    await bench.router.stop();

    const other = new RouterBench();
    await other.router.start();
    await other.register(A);
    await other.register(B);
    await kill(other, A);
    await kill(other, B);
    other.network.dead.delete(A);
    await other.clock.advanceAsync(31_000, 500);
    expect([other.view(A)?.state, other.view(B)?.state]).toEqual(['ok', 'ejected']);
    await other.router.stop();
  });

  test('when the last usable instance deregisters, the ejected ones are tried again', async () => {
    const bench = new RouterBench();
    await bench.router.start();
    await bench.register(A);
    await bench.register(B);
    await kill(bench, A);
    expect(bench.view(A)?.state).toBe('ejected');
    await bench.deregister(B);
    expect(bench.view(A)?.state).toBe('suspect');
    send(bench.router.routeFor(openid), openid, 1);
    expect(bench.network.last().address).toBe(A);
    await bench.router.stop();
  });

  test('an ejected instance that registers again is used at once', async () => {
    const bench = new RouterBench();
    await bench.router.start();
    await bench.register(A);
    await bench.register(B);
    await kill(bench, A);
    await bench.register(A);
    expect(bench.view(A)).toMatchObject({ state: 'ok', consecutiveFailures: 0 });
    await bench.router.stop();
  });

  test('an address that swallows packets counts as unreachable', async () => {
    const bench = new RouterBench();
    await bench.register(A);
    send(bench.router.routeFor(openid), openid, 1);
    bench.network.last().fail(GrpcStatus.DEADLINE_EXCEEDED, true);
    expect(bench.view(A)).toMatchObject({ state: 'suspect', consecutiveFailures: 1 });
  });

  test('timeouts of requests say nothing about health; other statuses are signs of life', async () => {
    const bench = new RouterBench();
    await bench.register(A);
    const route = bench.router.routeFor(openid);
    send(route, openid, 1);
    bench.network.last().fail(GrpcStatus.UNAVAILABLE);
    send(route, openid, 2);
    bench.network.last().fail(GrpcStatus.DEADLINE_EXCEEDED);
    expect(bench.view(A)).toMatchObject({ state: 'suspect', consecutiveFailures: 1 });
    send(route, openid, 3);
    bench.network.last().fail(GrpcStatus.INTERNAL);
    expect(bench.view(A)).toMatchObject({ state: 'ok', consecutiveFailures: 0 });
  });

  test('on ejection a session moves at once, requests in flight or not', async () => {
    const bench = new RouterBench();
    await bench.register(A);
    await bench.register(B);
    const route = bench.router.routeFor(openid);
    for (let seq = 1; seq <= 7; seq++) send(route, openid, seq);
    const { address } = bench.network.last();
    for (const call of bench.network.open().slice(0, 5)) call.fail(GrpcStatus.UNAVAILABLE);
    expect(bench.view(address)?.state).toBe('ejected');
    send(route, openid, 8);
    expect(bench.network.last().address).not.toBe(address);
  });
});

describe('the configured instance', () => {
  const F = '10.0.0.9:9001';

  test('serves zones without another, and is never ejected', async () => {
    const bench = new RouterBench({ fallbackAddress: F });
    await bench.router.start();
    const route = bench.router.routeFor(openid);
    for (let seq = 1; seq <= 8; seq++) {
      send(route, openid, seq);
      expect(bench.network.last().address).toBe(F);
      bench.network.last().refuse();
    }
    expect(bench.router.view().fallback).toMatchObject({ state: 'suspect' });
    await bench.register(A);
    send(route, openid, 9);
    expect(bench.network.last().address).toBe(A);
    await bench.deregister(A);
    send(route, openid, 10);
    expect(bench.network.last().address).toBe(F);
    await bench.router.stop();
  });

  test.each([['nonsense'], ['host:0'], ['host:99999']])('%s is a startup error', (address) => {
    const bench = new RouterBench();
    const make = (): ZoneRouter =>
      new ZoneRouter(
        new FakeClock(),
        silentLogger(),
        bench.metrics.upstream,
        bench.network.makeCaller,
        { fallbackAddress: address },
      );
    expect(make).toThrow(/^server\.upstream_addr "/);
  });
});

test('the view counts per instance', async () => {
  const bench = new RouterBench();
  await bench.register(A);
  const route = bench.router.routeFor(openid);
  send(route, openid, 1);
  bench.clock.advance(40);
  bench.network.last().answer();
  send(route, openid, 2);
  bench.network.last().fail(GrpcStatus.INTERNAL, false, 'panic');
  send(route, openid, 3);
  expect(bench.view(A)).toEqual({
    address: A,
    serviceName: 'service',
    capabilities: [],
    state: 'ok',
    consecutiveFailures: 0,
    inFlight: 1,
    requests: 3,
    failures: 1,
    lastError: 'panic',
    latencyMs: 40,
  });
  expect(bench.router.view().concurrent).toBe(1);
});
