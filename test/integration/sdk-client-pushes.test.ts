import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Gateway } from '../../src/gateway/gateway.js';
import { zoneOf } from '../../src/routing/zone.js';
import { GatewayClient } from '../../src/sdk/client/index.js';
import type { GatewayClientOptions } from '../../src/sdk/client/index.js';
import type { UpstreamServer } from '../../src/sdk/upstream/index.js';
import { GatewayHarness } from '../support/gateway-harness.js';
import { until } from '../support/quic-fake-gateway.js';
import { PATIENT_CLIENT } from '../support/patience.js';

const COUNT = 300;
/** Large enough that what is unread does not fit into the buffers of the transports. */
const CONTENT = 'x'.repeat(4_000);

let harness: GatewayHarness;
let gateway: Gateway;
let upstream: UpstreamServer;
let clients: GatewayClient[];

beforeEach(async () => {
  harness = new GatewayHarness();
  clients = [];
  gateway = await harness.gateway({ 'server.ws_addr': '127.0.0.1:0' });
  upstream = await harness.upstream(gateway, zoneOf('alice'), (server) =>
    server.fallback((request) => request.data),
  );
});

afterEach(async () => {
  for (const client of clients) client.close();
  await harness.close();
});

function client(options: Partial<GatewayClientOptions>): GatewayClient {
  const made = new GatewayClient({
    ...PATIENT_CLIENT,
    address: `127.0.0.1:${gateway.quicPort}`,
    webSocketPort: gateway.wsPort,
    openid: 'alice',
    ca: readFileSync(join(harness.folder, 'ca.crt')),
    minDelayMs: 10,
    maxWaitingPushes: 16,
    ...options,
  });
  clients.push(made);
  return made;
}

async function pushAll(): Promise<void> {
  for (let n = 0; n < COUNT; n++) {
    await upstream.push({ openid: 'alice', type: 'n', title: `${n}`, content: CONTENT });
  }
}

const expected = Array.from({ length: COUNT }, (_, n) => `${n}`);

describe('pushes and answers at a real gateway', () => {
  test.each([
    ['quic', 'received'],
    ['websocket', 'handled'],
  ] as const)(
    'over %s (ack: %s) a stalled loop costs little memory, holds up no answer, and misses nothing',
    async (transport, ack) => {
      const alice = client({ transport, ack });
      const loop = alice.pushes();
      await alice.connect();
      await pushAll();
      // Behind everything that was pushed, and the loop has not taken one.
      expect((await alice.request('echo', { data: 'hello' })).text).toBe('hello');
      expect(alice.waitingPushes).toBeLessThanOrEqual(17);
      expect((await alice.request('echo', { data: 'again' })).text).toBe('again');

      const titles: string[] = [];
      for await (const { title } of loop) {
        titles.push(title);
        expect(alice.waitingPushes).toBeLessThanOrEqual(17);
        if (titles.length === COUNT) break;
      }
      expect(titles).toEqual(expected);
      const session = gateway.sessions.registry.findByOpenid('alice');
      await until(() => session?.outbox.totalFrames === 0);
    },
  );
});
