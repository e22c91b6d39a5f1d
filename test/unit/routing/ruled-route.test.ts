import { describe, expect, test } from '@jest/globals';
import { RoutingRules } from '../../../src/routing/routing-rules.js';
import type { RoutingRule } from '../../../src/config/routing/rule.js';
import type { ZoneRouterOptions } from '../../../src/routing/zone-router.js';
import { RouterBench } from '../../support/upstream-router-bench.js';
import { codeOf, openidsOfZone, send, turn } from '../../support/upstream-requests.js';

const openid = openidsOfZone('001', 1)[0] as string;
const GAME = '10.0.0.1:9001';
const LOGIN = '10.0.0.2:9001';
const OTHER = '10.0.0.3:9001';

const byAction = (prefix: string, target: string): RoutingRule => ({
  number: 1,
  condition: { by: 'action_prefix', prefix },
  target,
});
const byOpenid = (prefix: string, target: string): RoutingRule => ({
  number: 1,
  condition: { by: 'openid_prefix', prefix },
  target,
});

const LOGIN_RULES = new RoutingRules([byAction('login.', 'login')], ['login']);
const NO_RULES = new RoutingRules();

/** A game instance in zone 001, one in zone 002, and a login service. */
async function benchOf(options: ZoneRouterOptions = {}): Promise<RouterBench> {
  const bench = new RouterBench({ rules: LOGIN_RULES, ...options });
  await bench.register(GAME, '001');
  await bench.register(OTHER, '002');
  expect(await bench.register(LOGIN, 'login')).toEqual({
    success: true,
    message: `registered ${LOGIN} for service login`,
    errorCode: '',
  });
  return bench;
}

/** Where the calls went, in order: `address client_seq_id`. */
function sent(bench: RouterBench): string[] {
  return bench.network.calls.map((call) => `${call.address} ${call.request.clientSeqId}`);
}

describe('a session whose requests go to several pools', () => {
  test('each request goes where its action says, the others home', async () => {
    const bench = await benchOf();
    const route = bench.router.routeFor(openid);
    expect(route.zone).toBe('001');
    ['login.start', 'move', 'login', 'login.end'].forEach((action, at) =>
      send(route, openid, at + 1, action),
    );
    expect(sent(bench)).toEqual([`${LOGIN} 1`, `${GAME} 2`, `${GAME} 3`, `${LOGIN} 4`]);
  });

  test('a rule by openid decides the home, and with it the zone of the session', async () => {
    const rules = new RoutingRules(
      [byOpenid(openid, '002'), byAction('login.', 'login')],
      ['login'],
    );
    const bench = await benchOf({ rules });
    const route = bench.router.routeFor(openid);
    expect(route.zone).toBe('002');
    // The rule by openid comes first, so that no action takes it elsewhere.
    send(route, openid, 1, 'login.start');
    expect(sent(bench)).toEqual([`${OTHER} 1`]);
    expect(bench.router.routeFor(openidsOfZone('001', 2)[1] as string).zone).toBe('001');
  });

  test('one slow pool does not hold the other; each keeps its order', async () => {
    const bench = await benchOf();
    const route = bench.router.routeFor(openid);
    const slow = send(route, openid, 1, 'login.start');
    const quick = send(route, openid, 2);
    bench.network.calls[1]?.answer(201);
    expect(await codeOf(quick)).toBe(201);
    expect(slow.code).toBeNull();
  });

  test('routing.serialize holds over all pools: the next after the answer to the last', async () => {
    const bench = await benchOf({ serialize: true });
    const route = bench.router.routeFor(openid);
    const requests = ['login.a', 'move', 'login.b', 'jump'].map((action, at) =>
      send(route, openid, at + 1, action),
    );
    const expected = [`${LOGIN} 1`, `${GAME} 2`, `${LOGIN} 3`, `${GAME} 4`];
    for (let at = 0; at < expected.length; at++) {
      expect(sent(bench)).toEqual(expected.slice(0, at + 1));
      bench.network.last().answer(200);
      await codeOf(requests[at] as (typeof requests)[0]);
    }
    expect(bench.router.view().concurrent).toBe(0);
  });

  test('routing.serialize: a failure in one pool lets the next request go to the other', async () => {
    const bench = await benchOf({ serialize: true });
    const route = bench.router.routeFor(openid);
    const lost = send(route, openid, 1, 'login.a');
    const next = send(route, openid, 2);
    bench.network.last().refuse();
    expect(await codeOf(lost)).toBe(502);
    bench.network.last().answer();
    expect(await codeOf(next)).toBe(200);
  });

  test('a service without an upstream is 503; server.upstream_addr serves zones only', async () => {
    const bench = new RouterBench({ rules: LOGIN_RULES, fallbackAddress: '10.0.0.9:1' });
    const route = bench.router.routeFor(openid);
    const request = send(route, openid, 1, 'login.a');
    expect(await codeOf(request)).toBe(503);
    expect(request.outcomes[0]).toMatchObject({ reason: 'no upstream serves service login' });
    send(route, openid, 2);
    expect(sent(bench)).toEqual(['10.0.0.9:1 2']);
  });

  test('instances of a service share openids and are ejected as those of a zone', async () => {
    const bench = await benchOf();
    await bench.register('10.0.0.4:9001', 'login');
    for (let seq = 1; seq <= 5; seq++) {
      // A new session each time: it does not know yet that its first choice refuses.
      const request = send(bench.router.routeFor(openid), openid, seq, 'login.a');
      bench.network.last().refuse();
      bench.network.last().answer();
      expect(await codeOf(request)).toBe(200);
    }
    const states = [LOGIN, '10.0.0.4:9001'].map((address) => bench.view(address)?.state);
    expect(states.sort()).toEqual(['ejected', 'ok']);
  });
});

describe('new rules', () => {
  test('hold for the next request; what is under way ends where it was', async () => {
    const bench = await benchOf();
    const route = bench.router.routeFor(openid);
    const before = send(route, openid, 1, 'login.a');
    bench.router.setRules(NO_RULES);
    const after = send(route, openid, 2, 'login.b');
    expect(sent(bench)).toEqual([`${LOGIN} 1`, `${GAME} 2`]);
    for (const call of bench.network.open()) call.answer();
    expect([await codeOf(before), await codeOf(after)]).toEqual([200, 200]);
  });

  test('move the zone of a session before it sends anything', async () => {
    const bench = await benchOf();
    const route = bench.router.routeFor(openid);
    bench.router.setRules(new RoutingRules([byOpenid(openid, '002')]));
    expect(route.zone).toBe('002');
    bench.router.setRules(NO_RULES);
    expect(route.zone).toBe('001');
  });

  test('that come and go do not let a request overtake one that waits in the same pool', async () => {
    const bench = await benchOf();
    await bench.register('10.0.0.8:9001', '001');
    const route = bench.router.routeFor(openid);
    const requests = [1, 2].map((seq) => send(route, openid, seq));
    // The first moves to the other instance while the second is undecided; a third must wait for it.
    bench.network.calls[0]?.refuse();
    bench.router.setRules(new RoutingRules([byOpenid(openid, '002')]));
    expect(route.zone).toBe('002');
    bench.router.setRules(NO_RULES);
    requests.push(send(route, openid, 3));
    expect(sent(bench).map((call) => call.split(' ')[1])).toEqual(['1', '2', '1']);
    bench.network.calls[1]?.refuse();
    expect(sent(bench).map((call) => call.split(' ')[1])).toEqual(['1', '2', '1', '2', '3']);
    for (const call of bench.network.open()) call.answer();
    expect(await Promise.all(requests.map(codeOf))).toEqual([200, 200, 200]);
  });

  test('without a service keep its upstreams, show them, and take no new ones', async () => {
    const bench = await benchOf();
    bench.router.setRules(NO_RULES);
    expect(bench.router.view().zones.map(({ zone }) => zone)).toContain('login');
    expect(await bench.register('10.0.0.4:9001', 'login')).toMatchObject({
      errorCode: 'INVALID_ZONE_ID',
    });
    bench.router.setRules(LOGIN_RULES);
    send(bench.router.routeFor(openid), openid, 1, 'login.a');
    expect(sent(bench)).toEqual([`${LOGIN} 1`]);
    bench.router.setRules(NO_RULES);
    expect(await bench.deregister(LOGIN, 'login')).toMatchObject({ success: true });
    expect(bench.router.view().zones.map(({ zone }) => zone)).not.toContain('login');
  });
});

describe('registrations for services', () => {
  test('are refused for a name that the configuration does not have', async () => {
    const bench = new RouterBench();
    expect(await bench.register(LOGIN, 'login')).toEqual({
      success: false,
      message: 'zone_id is none of 001 to 006, and no service of routing.services',
      errorCode: 'INVALID_ZONE_ID',
    });
    expect(await bench.deregister(LOGIN, 'login')).toMatchObject({ errorCode: 'INVALID_ZONE_ID' });
  });

  test('an address is an instance of one zone or service', async () => {
    const bench = await benchOf();
    await turn();
    expect(await bench.register(LOGIN, '001')).toEqual({
      success: false,
      message: `${LOGIN} is a live instance of service login`,
      errorCode: 'ADDRESS_TAKEN',
    });
  });
});
