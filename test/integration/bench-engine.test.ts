import { afterEach, describe, expect, test } from '@jest/globals';
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { CERT_VARIABLE, KEY_VARIABLE } from '../../src/bench/engine/child-protocol.js';
import type { ServerRequest } from '../../src/bench/engine/child-protocol.js';
import { DeliveryEnd } from '../../src/bench/engine/delivery-end.js';
import { EchoLoop, connectTo } from '../../src/bench/engine/echo-load.js';
import { TurnLoad } from '../../src/bench/engine/turn-load.js';
import { QuicClient } from '../../src/quic/quic-client.js';
import { silentLogger } from '../../src/telemetry/log.js';
import { Metrics } from '../../src/telemetry/metrics.js';
import { QuicHarness, testIdentity } from '../support/quic-harness.js';
import { until } from '../support/until.js';

const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

async function newClient(): Promise<QuicClient> {
  return new QuicClient({
    trust: { ca: (await testIdentity()).ca, verify: true },
    alpns: ['gatesvr'],
    metrics: new Metrics().quic,
    log: silentLogger(),
  });
}

/** The first datagram of a client that hears no answer. */
async function firstDatagram(): Promise<Buffer> {
  const trap = createSocket('udp4');
  await new Promise<void>((bound) => trap.bind(0, '127.0.0.1', bound));
  const client = await newClient();
  const observer = { onStream: () => undefined, onClosed: () => undefined };
  const vain = client.connect({ host: '127.0.0.1', port: trap.address().port }, observer);
  vain.catch(() => undefined);
  const [datagram] = (await once(trap, 'message')) as [Buffer];
  await client.stop();
  trap.close();
  return datagram;
}

/** A server in a process of its own, with what it complains about; needs `make build`. */
async function serverProcess(script = 'bare-server') {
  const { cert, key } = await testIdentity();
  const env = { [CERT_VARIABLE]: cert.toString('base64'), [KEY_VARIABLE]: key.toString('base64') };
  const child = fork(`dist/bench/engine/${script}.js`, {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env: { ...process.env, ...env },
  });
  children.push(child);
  const complaints = child.stderr as Readable;
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  const ended = async (): Promise<[number | null, string]> => {
    const [[code], told] = await Promise.all([once(child, 'exit'), text(complaints)]);
    return [code as number | null, told];
  };
  return { child, port, ended };
}

describe('the bare server', () => {
  test('ends at once when told to, whatever waits to be repeated', async () => {
    const { child, port, ended } = await serverProcess();
    const client = createSocket('udp4');
    // It answers, and repeats that until it hears of somebody: a timer is armed.
    client.send(await firstDatagram(), port, '127.0.0.1');
    await once(client, 'message');
    client.close();
    child.send({ ask: 'stop' });
    expect(await ended()).toEqual([0, '']);
  });

  test('ends with a comparison that failed', async () => {
    const { child, ended } = await serverProcess();
    child.disconnect();
    expect(await ended()).toEqual([0, '']);
  });
});

/** Asks a server what a comparison asks it. */
async function ask(child: ChildProcess, request: ServerRequest): Promise<unknown> {
  child.send(request);
  const [reply] = (await once(child, 'message')) as [unknown];
  return reply;
}

describe.each(['bare-server', 'own-server'])('deliveries of %s', (script) => {
  test('reach every connection, and each answer is counted', async () => {
    const { child, port } = await serverProcess(script);
    const client = await newClient();
    const ends = await Promise.all(
      [0, 1, 2].map(async () => new DeliveryEnd(await connectTo(client, { port, settle: 0 }), 200)),
    );
    await Promise.all(ends.map(({ ready }) => ready));
    for (const fill of [1, 2]) {
      const all = Promise.all(ends.map((end) => end.next()));
      expect(await ask(child, { ask: 'deliver', bytes: 200, fill })).toEqual({ delivered: 3 });
      await all;
      const answers = async () => JSON.stringify(await ask(child, { ask: 'answers' }));
      await until(async () => (await answers()) === JSON.stringify({ answers: 3 * fill }));
    }
    await client.stop();
  });

  test('and requests of connections that take turns are each answered and acknowledged', async () => {
    const { child, port } = await serverProcess(script);
    const client = await newClient();
    const ends = await Promise.all(
      [0, 1, 2].map(async () => new DeliveryEnd(await connectTo(client, { port, settle: 0 }), 100)),
    );
    await Promise.all(ends.map(({ ready }) => ready));
    // As many at once as there are: acknowledgement and next request travel in one packet.
    for (const atOnce of [1, 3]) await new TurnLoad(ends, atOnce).ask(300);
    const answers = async () => JSON.stringify(await ask(child, { ask: 'answers' }));
    await until(async () => (await answers()) === JSON.stringify({ answers: 600 }));
    await expect(new TurnLoad(ends, 4).ask(8)).rejects.toThrow('more requests at once');
    await client.stop();
  });

  test('are told from wrong ones', async () => {
    const { child, port } = await serverProcess(script);
    const client = await newClient();
    const end = new DeliveryEnd(await connectTo(client, { port, settle: 0 }), 200);
    await end.ready;
    const came = expect(end.next()).rejects.toThrow('a wrong delivery');
    await ask(child, { ask: 'deliver', bytes: 200, fill: 2 });
    await came;
    await client.stop();
  });
});

test('an echo whose connection ends fails and says so', async () => {
  const harness = await QuicHarness.start({
    protocols: {
      gatesvr: (connection) =>
        connection.bind({
          onStream: () => connection.close(3, 'enough'),
          onClosed: () => undefined,
        }),
    },
  });
  const target = { port: harness.server.port, settle: 0 };
  const loop = new EchoLoop(await connectTo(harness.client(), target), 7, 100);
  await expect(loop.finish()).rejects.toThrow('connection 7 ended (peer): 3 enough');
  await harness.close();
});
