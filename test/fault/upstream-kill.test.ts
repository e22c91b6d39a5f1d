import { afterEach, expect, test } from '@jest/globals';
import { ForeignUpstream } from '../support/upstream-foreign.js';
import { GatewayEdge } from '../support/upstream-gateway-edge.js';
import { RecordedRequest, openidsOfZone } from '../support/upstream-requests.js';

const ROUNDS = 120;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

let edge: GatewayEdge | null = null;
const upstreams: ForeignUpstream[] = [];

afterEach(async () => {
  await edge?.stop();
  for (const upstream of upstreams.splice(0)) upstream.kill();
});

test.each([[false], [true]])(
  'instances die and return under load (serialize %p): nothing is executed twice, every request has one outcome',
  async (serialize) => {
    for (let index = 0; index < 3; index++) upstreams.push(await new ForeignUpstream().start());
    edge = await new GatewayEdge({ serialize }).start();
    for (const upstream of upstreams) await edge.register(upstream.address);
    const sessions = openidsOfZone('001', 12).map((openid) => ({
      openid,
      route: (edge as GatewayEdge).router.routeFor(openid),
      requests: [] as RecordedRequest[],
    }));

    for (let round = 1; round <= ROUNDS; round++) {
      for (const { openid, route, requests } of sessions) {
        const request = new RecordedRequest(openid, round);
        requests.push(request);
        route.dispatch(request);
      }
      const victim = upstreams[Math.floor(round / 20) % 2] as ForeignUpstream;
      if (round % 20 === 5) victim.kill();
      if (round % 20 === 12) await victim.start();
      await pause(5);
    }

    const all = sessions.flatMap(({ requests }) => requests);
    await Promise.all(all.map((request) => request.outcome));
    const executed = upstreams.flatMap(({ requests }) => requests);
    const keys = executed.map((request) => `${request.openid} ${request.client_seq_id}`);
    expect(new Set(keys).size).toBe(keys.length);

    const byCode = new Map<number | null, number>();
    for (const request of all) {
      byCode.set(request.code, (byCode.get(request.code) ?? 0) + 1);
      if (request.code === 200) expect(keys).toContain(`${request.openid} ${request.clientSeqId}`);
    }
    // One instance never dies: requests may be lost in flight, but nothing stays unreachable.
    expect(byCode.get(503) ?? 0).toBe(0);
    expect(byCode.get(200) ?? 0).toBeGreaterThan(all.length * 0.8);
    expect(edge.router.view().concurrent).toBe(0);

    // Each instance saw its requests of a session in order.
    for (const { requests } of upstreams) {
      for (const { openid } of sessions) {
        const order = requests
          .filter((request) => request.openid === openid)
          .map((request) => Number(request.client_seq_id));
        expect(order).toEqual([...order].sort((one, other) => one - other));
      }
    }
  },
);
