import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import dgram from 'node:dgram';
import type { Socket } from 'node:dgram';
import { Registry } from 'prom-client';
import { QuicClient } from '../../src/quic/quic-client.js';
import type { QuicClientOptions } from '../../src/quic/quic-client.js';
import { silentLogger } from '../../src/telemetry/log.js';
import { QuicMetrics } from '../../src/telemetry/quic-metrics.js';
import { PATIENCE_MS } from '../support/patience.js';
import {
  ConnectionRecorder,
  QuicHarness,
  StreamRecorder,
  eventually,
} from '../support/quic-harness.js';

/** Never answers. */
let deaf: Socket;
let client: QuicClient;

function makeClient(options: Partial<QuicClientOptions> = {}): QuicClient {
  return new QuicClient({
    trust: { verify: false },
    alpns: ['gatesvr'],
    metrics: new QuicMetrics(new Registry()),
    log: silentLogger(),
    limits: { handshakeTimeout: 2 * PATIENCE_MS },
    ...options,
  });
}

beforeEach(async () => {
  client = makeClient();
  deaf = dgram.createSocket('udp4');
  await new Promise<void>((done) => deaf.bind(0, '127.0.0.1', done));
});

afterEach(async () => {
  await client.stop();
  deaf.close();
});

const udpSockets = (): number =>
  process.getActiveResourcesInfo().filter((name) => name === 'UDPWrap').length;

const connect = (signal?: AbortSignal, host = '127.0.0.1'): Promise<unknown> =>
  client.connect({ host, port: deaf.address().port }, new ConnectionRecorder(), signal);

describe('an attempt to connect', () => {
  it('opens no socket where the client is stopped while the name is looked up', async () => {
    const before = udpSockets();
    expect(before).toBeGreaterThan(0);
    const attempt = connect(undefined, 'localhost');
    await client.stop();
    await expect(attempt).rejects.toMatchObject({ code: 'CLOSED' });
    expect(udpSockets()).toBe(before);
  });

  it('that is given up ends, and the others over the same socket go on', async () => {
    const giveUp = new AbortController();
    const arrived = new Promise((done) => deaf.once('message', done));
    const abandoned = connect(giveUp.signal);
    const other = connect();
    await arrived;
    giveUp.abort();
    await expect(abandoned).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(abandoned).rejects.toThrow('was abandoned');
    const undecided = Symbol('undecided');
    expect(await Promise.race([other, Promise.resolve(undecided)])).toBe(undecided);
    await client.stop();
    await expect(other).rejects.toMatchObject({ code: 'CLOSED' });
  });

  it('does not begin where it was given up before', async () => {
    await expect(connect(AbortSignal.abort())).rejects.toThrow('was abandoned');
  });

  it('that has come to something is not undone', async () => {
    const harness = await QuicHarness.start();
    try {
      const giveUp = new AbortController();
      const recorder = new ConnectionRecorder();
      const target = { host: '127.0.0.1', port: harness.server.port };
      const connection = await harness.client().connect(target, recorder, giveUp.signal);
      giveUp.abort();
      const stream = new StreamRecorder(connection.openStream());
      stream.stream.write(Buffer.from('still here'));
      await eventually(() => stream.length === 10, 'the echo');
      expect(recorder.closed).toEqual([]);
    } finally {
      await harness.close();
    }
  });
});

describe('a client that cannot bind its address', () => {
  it('says so each time it is asked to connect, and can be stopped', async () => {
    // An address for documentation (RFC 5737): no machine has it.
    client = makeClient({ localHost: '203.0.113.1' });
    await expect(connect()).rejects.toMatchObject({ code: 'BAD_ADDRESS' });
    await expect(connect()).rejects.toMatchObject({ code: 'BAD_ADDRESS' });
    await client.stop();
  });
});
