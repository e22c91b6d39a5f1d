import dns from 'node:dns/promises';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { GatewayClient, QuicTransport } from '../../src/sdk/client/index.js';
import type { GatewayClientOptions } from '../../src/sdk/client/index.js';
import { QuicFakeGateway, until } from '../support/quic-fake-gateway.js';
import { PATIENCE_MS, PATIENT_CLIENT } from '../support/patience.js';
import { UdpProxy } from '../../src/bench/load/udp-proxy.js';
import { isShortHeader } from '../../src/quic/packet-header.js';

let gateway: QuicFakeGateway;
let clients: GatewayClient[];
let proxy: UdpProxy | null = null;

beforeEach(async () => {
  clients = [];
  gateway = await QuicFakeGateway.start();
});

afterEach(async () => {
  for (const client of clients) client.close();
  await proxy?.close();
  proxy = null;
  await gateway.stop();
});

function client(options: Partial<GatewayClientOptions> = {}): GatewayClient {
  const base = { address: gateway.address, openid: 'alice', ca: gateway.ca };
  const made = new GatewayClient({ ...PATIENT_CLIENT, ...base, ...options });
  clients.push(made);
  return made;
}

const portOf = ({ address }: QuicFakeGateway): number => Number(address.split(':')[1]);

describe('the client over real QUIC', () => {
  test('starts a session, is answered, receives pushes in order, stops', async () => {
    const alice = client();
    const titles: string[] = [];
    alice.onPush(({ title }) => titles.push(title));
    await alice.connect();
    const payload = 'x'.repeat(200_000);
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, n) => alice.request('echo', { data: `${n}` })),
    );
    expect(answers.map(({ text }) => text)).toEqual(answers.map((_, n) => `${n}`));
    expect((await alice.request('echo', { data: payload })).text).toBe(payload);
    for (let n = 0; n < 50; n++) gateway.last.push(gateway.nextPush++, `t${n}`);
    await until(() => titles.length === 50);
    expect(titles).toEqual(titles.map((_, n) => `t${n}`));
    await until(() => gateway.last.acks.at(-1) === gateway.nextPush - 1);
    // One for each read would be one for each frame; a slow machine reads more often.
    expect(gateway.last.acks.length).toBeLessThan(150);
    await alice.stop('user_logout');
    expect(gateway.last.stops).toHaveLength(1);
  });

  describe('with a name that has several addresses', () => {
    /** What the resolver says of any name. */
    let addresses: string[];

    beforeEach(() => {
      const answer = (_: string, { all = false } = {}) => {
        const found = addresses.map((address) => ({ address, family: 4 }));
        return Promise.resolve(all ? found : found[0]);
      };
      jest.spyOn(dns, 'lookup').mockImplementation(answer as typeof dns.lookup);
    });

    afterEach(() => void jest.restoreAllMocks());

    test('reaches one behind another that is silent', async () => {
      addresses = ['127.0.0.3', '127.0.0.1'];
      await client({ address: `localhost:${portOf(gateway)}` }).connect();
    });

    test('holds the certificate of each to the name', async () => {
      addresses = ['127.0.0.1', '127.0.0.1'];
      const transport = new QuicTransport({ ca: gateway.ca });
      const open = (name: string) =>
        transport.open(`${name}:${portOf(gateway)}`, new AbortController().signal);
      await expect(open('elsewhere.test')).rejects.toThrow(/certificate/);
      (await open('localhost')).close(0, '');
    });
  });

  test('checks the certificate unless told otherwise', async () => {
    const trusting = client({ ca: '', insecure: true });
    await trusting.connect();
    const strict = new GatewayClient({
      ...PATIENT_CLIENT,
      address: gateway.address,
      openid: 'bob',
      connectTimeoutMs: 1_500,
    });
    clients.push(strict);
    await expect(strict.connect()).rejects.toMatchObject({ code: 'CONNECT_FAILED' });
  });

  test('comes back by itself when the gateway is restarted, and resumes', async () => {
    const alice = client();
    const events: string[] = [];
    alice.on('connected', ({ resumed }) => events.push(resumed ? 'resumed' : 'new'));
    alice.on('disconnected', ({ code }) => events.push(`lost ${code}`));
    await alice.connect();
    await alice.request('echo');
    const port = portOf(gateway);
    await gateway.stop();
    await until(() => alice.state === 'reconnecting');
    const waiting = alice.request('echo', { data: 'patient' });
    gateway = await QuicFakeGateway.start(port);
    gateway.nextPush = 2;
    expect((await waiting).text).toBe('patient');
    expect(events).toEqual(['new', 'lost 0', 'resumed']);
    expect(gateway.last.starts[0]?.lastAckedSeqId).toBe(1);
  });

  test('a port that changes while START is answered costs a second, not the time START may take', async () => {
    let answered = false;
    proxy = await UdpProxy.start({
      targetPort: Number(gateway.address.split(':')[1]),
      // Until then nothing comes that would tell the client of the handshake's end, either.
      tap: (direction, datagram) =>
        direction === 'toClient' && isShortHeader(datagram) && !answered ? null : datagram,
    });
    const { onStart } = gateway;
    gateway.onStart = (connection, msgId) => {
      onStart(connection, msgId);
      // What was just answered leaves behind this turn, for the port that is no more.
      proxy?.rebind();
      answered = true;
    };
    const alice = client({ address: `127.0.0.1:${proxy.port}`, startTimeoutMs: 10 * PATIENCE_MS });
    alice.connect().catch(() => undefined);
    await until(() => alice.state === 'connected', 'START to be answered');
    expect(gateway.connections).toHaveLength(1);
  });

  test('an application close code reaches the client', async () => {
    const alice = client();
    const codes: number[] = [];
    alice.on('disconnected', ({ code }) => codes.push(code));
    await alice.connect();
    gateway.last.link.finish(429, 'outbox full');
    await until(() => gateway.connections.length === 2 && alice.state === 'connected');
    gateway.last.link.close(409, 'replaced');
    await until(() => alice.state === 'closed');
    expect(codes).toEqual([429, 409]);
  });

  test('names an address that nobody can reach', async () => {
    const nobody = client({ address: '127.0.0.1:1', connectTimeoutMs: 1_000, openTimeoutMs: 300 });
    await expect(nobody.connect()).rejects.toThrow(
      /cannot connect to 127\.0\.0\.1:1 within 1000 ms/,
    );
  });
});
