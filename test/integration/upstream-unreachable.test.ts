import { afterEach, expect, test } from '@jest/globals';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { SystemClock } from '../../src/base/clock.js';
import { callersOf } from '../../src/grpc/caller-kinds.js';
import { ZoneRouter } from '../../src/routing/zone-router.js';
import { silentLogger } from '../../src/telemetry/log.js';
import { Metrics } from '../../src/telemetry/metrics.js';
import { ForeignUpstream } from '../support/upstream-foreign.js';
import { codeOf, openidsOfZone, send } from '../support/upstream-requests.js';

/** Less than an attempt to connect may take: without another instance they all fail. */
const TIMEOUT_MS = 8_000;

const openids = openidsOfZone('001', 20);
const sockets: Socket[] = [];
let silent: Server;
let live: ForeignUpstream;
let router: ZoneRouter;

afterEach(async () => {
  await router.stop();
  live.kill();
  for (const socket of sockets.splice(0)) socket.destroy();
  silent.close();
});

/** Takes connections and says nothing: to a caller it is as an address that swallows packets. */
async function startSilent(): Promise<string> {
  silent = createServer((socket) => void sockets.push(socket.on('error', () => undefined)));
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  return `127.0.0.1:${(silent.address() as AddressInfo).port}`;
}

test.each([
  ['framed', []],
  ['framed', ['process_stream']],
  ['http2', []],
] as const)(
  'while %s callers %j wait for one instance another answers, and nothing is executed twice',
  async (kind, capabilities) => {
    const address = await startSilent();
    live = await new ForeignUpstream().start();
    const metrics = new Metrics().upstream;
    router = new ZoneRouter(new SystemClock(), silentLogger(), metrics, callersOf(kind), {
      upstreamTimeoutMs: TIMEOUT_MS,
    });
    await router.start();
    for (const instance of [
      { address, capabilities: [...capabilities] },
      { address: live.address, capabilities: [] },
    ]) {
      const request = { ...instance, zoneId: '001', serviceName: 'service', peer: '127.0.0.1:1' };
      await new Promise((resolve) => router.register(request, resolve));
    }
    const rounds = openids.map(async (openid) => {
      const route = router.routeFor(openid);
      return Promise.all([1, 2].map((seq) => codeOf(send(route, openid, seq))));
    });
    expect(new Set((await Promise.all(rounds)).flat())).toEqual(new Set([200]));
    expect(metrics.retries.value).toBeGreaterThan(0);
    expect(live.requests).toHaveLength(2 * openids.length);
    for (const openid of openids) {
      const seen = live.requests.filter((request) => request.openid === openid);
      expect(seen.map((request) => Number(request.client_seq_id))).toEqual([1, 2]);
    }
  },
);
