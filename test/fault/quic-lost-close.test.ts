import { afterEach, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { UdpProxy } from '../../src/bench/load/udp-proxy.js';
import type { QuicClient } from '../../src/quic/quic-client.js';
import type { QuicClosed } from '../../src/quic/quic-closed.js';
import type { QuicConnection } from '../../src/quic/quic-connection.js';
import type { QuicServerOptions } from '../../src/quic/quic-server.js';
import { FakeClock } from '../support/fake-clock.js';
import { PATIENCE_MS } from '../support/patience.js';
import {
  ConnectionRecorder,
  QuicHarness,
  echoHandler,
  eventually,
} from '../support/quic-harness.js';

const MANY = 40;
const LONG_IDLE = { idleTimeout: 300_000, handshakeTimeout: PATIENCE_MS };

let harness: QuicHarness;
let proxy: UdpProxy;
let client: QuicClient;
/** The server's ends of the connections, in the order in which they were made. */
let served: QuicConnection[];
/** Datagrams to the client that still disappear. */
let toSwallow: number;

async function start(options: Partial<QuicServerOptions> = {}): Promise<void> {
  served = [];
  toSwallow = 0;
  const gatesvr = (connection: QuicConnection): void => {
    served.push(connection);
    echoHandler(connection);
  };
  harness = await QuicHarness.start({
    protocols: { gatesvr },
    keepalive: null,
    limits: LONG_IDLE,
    ...options,
  });
  proxy = await UdpProxy.start({
    targetPort: harness.server.port,
    tap: (direction, datagram) =>
      direction === 'toClient' && toSwallow > 0 && toSwallow-- > 0 ? null : datagram,
  });
  client = harness.client({ limits: LONG_IDLE });
}

afterEach(async () => {
  await harness.close();
  await proxy.close();
});

interface Connected {
  readonly connection: QuicConnection;
  readonly recorder: ConnectionRecorder;
}

/** Both ends are there when it resolves. */
async function connect(): Promise<Connected> {
  const before = served.length;
  const recorder = new ConnectionRecorder();
  const target = { host: '127.0.0.1', port: proxy.port, serverName: 'localhost' };
  const connection = await client.connect(target, recorder);
  await eventually(() => served.length > before, "the server's end");
  return { connection, recorder };
}

async function connectMany(count: number): Promise<Connected[]> {
  const connected: Connected[] = [];
  for (let index = 0; index < count; index++) connected.push(await connect());
  return connected;
}

/** The server closes a new connection; the client does not hear it, but goes on sending. */
async function loseClose(): Promise<QuicClosed> {
  const { connection, recorder } = await connect();
  // What the handshake has left to say is not what is to be lost.
  await new Promise((done) => setTimeout(done, 50));
  toSwallow = 1;
  served.at(-1)?.close(409, 'kicked');
  await eventually(() => {
    connection.ping();
    return recorder.closed.length > 0;
  }, 'the end');
  return recorder.closed[0] as QuicClosed;
}

describe('a close that is lost', () => {
  it.each([0, MANY])('is told again to who goes on sending, beside %d others', async (others) => {
    await start();
    const rest = await connectMany(others);
    // A slow machine may let the closing period pass before the client's next packet; but not always.
    const end = performance.now() + PATIENCE_MS;
    let closed = await loseClose();
    while (!closed.application && performance.now() < end) closed = await loseClose();
    expect(closed).toMatchObject({ application: true, code: 409, reason: 'kicked', by: 'peer' });
    for (const { recorder } of rest) expect(recorder.closed).toEqual([]);
  });
});

describe('a server that was restarted with the same keys', () => {
  it('resets many connections over one socket, each when it sends something', async () => {
    const keys = { reset: randomBytes(32), retry: randomBytes(32), ticket: randomBytes(48) };
    await start({ keys });
    const { port } = harness.server;
    const connected = await connectMany(MANY);
    // It dies without a word.
    for (const connection of served) connection.release();
    await harness.server.stop();
    const second = await QuicHarness.start({ keys, port });
    try {
      await eventually(() => {
        const left = connected.filter(({ recorder }) => recorder.closed.length === 0);
        for (const { connection } of left) connection.ping();
        return left.length === 0;
      }, 'all resets');
      for (const { recorder } of connected) {
        expect(recorder.closed).toMatchObject([{ application: false, by: 'loss' }]);
      }
    } finally {
      await second.close();
    }
  });

  it('resets a connection by the first thing it sends, before any timer', async () => {
    await start();
    const timeless = harness.client({ limits: LONG_IDLE, clock: new FakeClock() });
    const recorder = new ConnectionRecorder();
    const target = { host: '127.0.0.1', port: harness.server.port, serverName: 'localhost' };
    const connection = await timeless.connect(target, recorder);
    await eventually(() => served.length === 1, "the server's end");
    served[0]?.release();
    connection.ping();
    await eventually(() => recorder.closed.length === 1, 'the reset');
  });

  it('resets nobody else', async () => {
    await start();
    const connected = await connectMany(MANY);
    served[0]?.release();
    await eventually(() => {
      for (const { connection } of connected) connection.ping();
      return connected[0]?.recorder.closed.length === 1;
    }, 'the reset');
    for (const { recorder } of connected.slice(1)) expect(recorder.closed).toEqual([]);
  });
});
