import { afterAll, expect, test } from '@jest/globals';
import { HostileCrowd } from '../../src/bench/load/hostile-crowd.js';
import { GatewayClient } from '../../src/sdk/client/index.js';
import { createQuicClient } from '../../src/sdk/client/quic-client.js';
import { GatewayHarness, ZONES } from '../support/gateway-harness.js';
import { PATIENCE_MS, PATIENT_CLIENT } from '../support/patience.js';

/** For larger runs: HOSTILE=3000 GOOD=300 npx jest test/fault/hostile. */
const HOSTILE = Number(process.env['HOSTILE'] ?? 300);
const GOOD = Number(process.env['GOOD'] ?? 30);
const REQUESTS = 20;

const harness = new GatewayHarness();
const cleanups: (() => void | Promise<void>)[] = [];
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

afterAll(async () => {
  for (const clean of cleanups.reverse()) await clean();
  await harness.close();
});

test('good sessions beside slow, silent and flooding ones: none is dropped, every request answered', async () => {
  const gateway = await harness.gateway({ 'server.ws_addr': '127.0.0.1:0' });
  for (const zone of ZONES) {
    await harness.upstream(gateway, zone, (server) => server.fallback((request) => request.data));
  }
  const shared = createQuicClient({ insecure: true });
  cleanups.push(() => shared.stop());
  let dropped = 0;
  const clients: GatewayClient[] = [];
  for (let index = 0; index < GOOD; index++) {
    const address = `127.0.0.1:${gateway.quicPort}`;
    const client = new GatewayClient({
      ...PATIENT_CLIENT,
      address,
      openid: `good-${index}`,
      shared,
      // A stall of this process is no loss.
      deadAfterMs: PATIENCE_MS,
    });
    client.on('disconnected', () => dropped++);
    cleanups.push(() => client.close());
    clients.push(client);
    await client.connect();
  }

  const crowd = new HostileCrowd({
    port: gateway.quicPort,
    wsPort: gateway.wsPort,
    count: HOSTILE,
    kind: 'mixed',
    returnsPerSecond: 100,
  });
  cleanups.push(() => crowd.stop());
  const arrived = crowd.start();
  let answered = 0;
  await Promise.all(
    clients.map(async (client, index) => {
      for (let number = 0; number < REQUESTS; number++) {
        const data = `${index} ${number}`;
        expect((await client.request('echo', { data })).text).toBe(data);
        answered++;
        await pause(20);
      }
    }),
  );
  await arrived;
  expect([answered, dropped]).toEqual([GOOD * REQUESTS, 0]);
  expect(gateway.sessions.activeCount()).toBe(GOOD);
  expect(crowd.counts.opened).toBeGreaterThan(HOSTILE / 2);
});
