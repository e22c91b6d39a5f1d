import { createSocket } from 'node:dgram';
import { connect as connectTcp } from 'node:net';
import { afterAll, expect, test } from '@jest/globals';
import type { Gateway } from '../../src/gateway/gateway.js';
import { GatewayClient, createQuicClient } from '../../src/sdk/client/index.js';
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

/** Bytes that are no frame, for ever: the stream's flow control and 400 or 413 end it. */
const FLOOD = Buffer.alloc(16 * 1024, 0xff);

type QuicClient = ReturnType<typeof createQuicClient>;

/** Over QUIC: opens a stream, or none, and says nothing, half of a frame, or nonsense without end. */
async function hostileQuic(shared: QuicClient, port: number, kind: number): Promise<void> {
  let open = true;
  const events = { onStream: () => undefined, onClosed: () => void (open = false) };
  const target = { host: '127.0.0.1', port, serverName: 'localhost' };
  const connection = await shared.connect(target, events).catch(() => null);
  if (connection === null || kind === 0) return;
  const stream = connection.openStream();
  const bytes = kind === 1 ? Buffer.from([0, 0, 1, 0, 8]) : FLOOD;
  while (open) {
    stream.write(bytes);
    if (kind === 1) return;
    await pause(20);
  }
}

/** Over bare sockets: TCP that never speaks TLS, and datagrams that are no QUIC. */
function hostileSockets(gateway: Gateway): void {
  const socket = connectTcp(gateway.wsPort, '127.0.0.1');
  socket.on('error', () => undefined).resume();
  cleanups.push(() => void socket.destroy());
  const udp = createSocket('udp4');
  const flood = setInterval(
    () => udp.send(FLOOD.subarray(0, 1_200), gateway.quicPort, '127.0.0.1'),
    50,
  );
  cleanups.push(() => {
    clearInterval(flood);
    udp.close();
  });
}

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

  const hostile = createQuicClient({ insecure: true });
  cleanups.push(() => hostile.stop());
  const attacks: Promise<void>[] = [];
  for (let index = 0; index < HOSTILE; index++) {
    if (index % 4 === 3) hostileSockets(gateway);
    else attacks.push(hostileQuic(hostile, gateway.quicPort, index % 4));
  }
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
  expect([answered, dropped]).toEqual([GOOD * REQUESTS, 0]);
  expect(gateway.sessions.activeCount()).toBe(GOOD);
  expect(attacks.length).toBeGreaterThan(HOSTILE / 2);
});
