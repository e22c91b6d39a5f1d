import { afterEach, expect, test } from '@jest/globals';
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { CERT_VARIABLE, KEY_VARIABLE } from '../../src/bench/engine/child-protocol.js';
import { QuicClient } from '../../src/quic/quic-client.js';
import { silentLogger } from '../../src/telemetry/log.js';
import { Metrics } from '../../src/telemetry/metrics.js';
import { testIdentity } from '../support/quic-harness.js';

const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

/** The first datagram of a client that hears no answer. */
async function firstDatagram(): Promise<Buffer> {
  const trap = createSocket('udp4');
  await new Promise<void>((bound) => trap.bind(0, '127.0.0.1', bound));
  const client = new QuicClient({
    trust: { ca: (await testIdentity()).ca, verify: true },
    alpns: ['gatesvr'],
    metrics: new Metrics().quic,
    log: silentLogger(),
  });
  const observer = { onStream: () => undefined, onClosed: () => undefined };
  const vain = client.connect({ host: '127.0.0.1', port: trap.address().port }, observer);
  vain.catch(() => undefined);
  const [datagram] = (await once(trap, 'message')) as [Buffer];
  await client.stop();
  trap.close();
  return datagram;
}

test('the bare server ends at once when told to, whatever waits to be repeated', async () => {
  const { cert, key } = await testIdentity();
  const env = { [CERT_VARIABLE]: cert.toString('base64'), [KEY_VARIABLE]: key.toString('base64') };
  const child = fork('dist/bench/engine/bare-server.js', {
    silent: true,
    env: { ...process.env, ...env },
  });
  children.push(child);
  let told = '';
  child.stderr?.on('data', (text: Buffer) => (told += text.toString()));
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  const client = createSocket('udp4');
  // It answers, and repeats that until it hears of somebody: a timer is armed.
  client.send(await firstDatagram(), port, '127.0.0.1');
  await once(client, 'message');
  client.close();

  child.send({ ask: 'stop' });
  const [code] = (await once(child, 'close')) as [number | null];
  expect([code, told]).toEqual([0, '']);
});
