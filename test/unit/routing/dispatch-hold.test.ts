import { describe, expect, test } from '@jest/globals';
import type { ZoneRouterOptions } from '../../../src/routing/zone-router.js';
import { RouterBench } from '../../support/upstream-router-bench.js';
import { codeOf, openidsOfZone, send, turn } from '../../support/upstream-requests.js';

const openid = openidsOfZone('001', 1)[0] as string;
const UPSTREAM = '10.0.0.1:9001';

/** A router of a primary whose lease comes and goes. */
async function build(options: ZoneRouterOptions = {}) {
  const lease = { valid: true };
  const looks: (() => void)[] = [];
  const pace = {
    mayRun: () => lease.valid,
    wait: (run: () => void) => void looks.push(run),
  };
  const bench = new RouterBench({ ...options, pace });
  if (options.fallbackAddress === undefined) await bench.register(UPSTREAM);
  /** Some time passes: whoever waits looks whether the lease is back. */
  const look = () => looks.splice(0).forEach((run) => run());
  return { bench, lease, looks, look, route: bench.router.routeFor(openid) };
}

const calls = ({ network }: RouterBench) => network.calls.map(({ request }) => request.clientSeqId);

describe('a gateway that may not serve', () => {
  test.each([{ serialize: true }, { serialize: false }])(
    'dispatches nothing new, and in order what waited once it may: %j',
    async (options) => {
      const { bench, lease, looks, look, route } = await build(options);
      lease.valid = false;
      for (const seq of [1, 2, 3]) send(route, openid, seq);
      look();
      expect([calls(bench), looks.length]).toEqual([[], 1]);
      lease.valid = true;
      look();
      if (options.serialize) {
        bench.network.last().answer();
        bench.network.last().answer();
      }
      expect([calls(bench), looks.length]).toEqual([[1, 2, 3], 0]);
    },
  );

  test('does not go on with what waits when an answer comes without its lease', async () => {
    const { bench, lease, look, route } = await build({ serialize: true });
    send(route, openid, 1);
    send(route, openid, 2);
    lease.valid = false;
    bench.network.last().answer();
    await turn();
    expect(calls(bench)).toEqual([1]);
    lease.valid = true;
    look();
    expect(calls(bench)).toEqual([1, 2]);
  });

  test('tries nothing again on another upstream', async () => {
    const { bench, lease, route } = await build();
    await bench.register('10.0.0.2:9001');
    const request = send(route, openid, 1);
    lease.valid = false;
    bench.network.last().fail(14, true);
    expect(await codeOf(request)).toBe(502);
    expect(calls(bench)).toEqual([1]);
  });

  test('that stops tells those that wait', async () => {
    const { bench, lease, route } = await build();
    lease.valid = false;
    const request = send(route, openid, 1);
    await bench.router.stop();
    expect([request.code, calls(bench)]).toEqual([503, []]);
  });

  test('that becomes a backup sends nothing of what waited, nor later, also not to the fallback', async () => {
    const { bench, lease, look, route } = await build({
      serialize: true,
      fallbackAddress: '10.0.0.9:9001',
    });
    send(route, openid, 1);
    const waiting = send(route, openid, 2);
    lease.valid = false;
    const held = send(bench.router.routeFor(openid), openid, 3);
    // The new role: turns run, for clients are sent to the other gateway.
    lease.valid = true;
    bench.router.standDown();
    look();
    expect([await codeOf(waiting), await codeOf(held)]).toEqual([503, 503]);
    bench.router.resume();
    await turn();
    expect([calls(bench), bench.router.view().concurrent]).toEqual([[1], 0]);
  });
});
