import { afterEach, describe, expect, it, jest } from '@jest/globals';
import dgram from 'node:dgram';
import { makeCertificates } from '../../src/config/certificates.js';
import { EarlyCollection } from '../../src/quic/early-collection.js';
import type { QuicConnection } from '../../src/quic/quic-connection.js';
import { FakeClock } from '../support/fake-clock.js';
import {
  ConnectionRecorder,
  QuicHarness,
  StreamRecorder,
  echoHandler,
  eventually,
  testIdentity,
} from '../support/quic-harness.js';

let harness: QuicHarness | null = null;

afterEach(async () => {
  await harness?.close();
  harness = null;
});

async function echo(connection: QuicConnection, text: string): Promise<string> {
  const recorder = new StreamRecorder(connection.openStream());
  recorder.stream.write(Buffer.from(text));
  recorder.stream.end();
  await eventually(() => recorder.stream.readEnded, 'the end of the echo');
  return recorder.bytes.toString();
}

describe('a QUIC connection', () => {
  it('comes about, echoes on several streams and ends with code and reason', async () => {
    const closed: unknown[] = [];
    harness = await QuicHarness.start({
      protocols: {
        gatesvr: (connection) => {
          echoHandler(connection);
        },
      },
    });
    const { connection, recorder } = await harness.connect();
    expect(connection.alpn).toBe('gatesvr');
    expect(connection.remoteAddress).toBe(`127.0.0.1:${harness.server.port}`);
    expect(await Promise.all(['a', 'bb', 'ccc'].map((text) => echo(connection, text)))).toEqual([
      'a',
      'bb',
      'ccc',
    ]);
    expect(connection.streamCount).toBe(0);
    expect(connection.stats().sent).toBeGreaterThan(3);
    connection.close(409, 'enough');
    connection.close(500, 'twice');
    await eventually(() => recorder.closed.length > 0, 'onClosed');
    closed.push(...recorder.closed);
    expect(closed).toEqual([{ application: true, code: 409, reason: 'enough', by: 'local' }]);
    await eventually(() => harness?.server.connectionCount() === 0, 'an empty server');
    expect(harness.server.idCount()).toBe(0);
  });

  it('hears from a crowded server that acknowledgements may be late', async () => {
    harness = await QuicHarness.start();
    const announced = async (): Promise<number | undefined> =>
      (await harness?.connect())?.connection.quiche.stats().peerMaxAckDelay;
    expect(await announced()).toBe(25);
    jest.spyOn(harness.server, 'connectionCount').mockReturnValue(50_000);
    expect(await announced()).toBe(525);
  });

  it('tells the server who closed, with what', async () => {
    const server = new ConnectionRecorder();
    harness = await QuicHarness.start({
      protocols: { gatesvr: (connection) => connection.bind(server) },
    });
    const { connection } = await harness.connect();
    connection.close(0, 'bye');
    await eventually(() => server.closed.length > 0, 'onClosed of the server');
    expect(server.closed).toEqual([{ application: true, code: 0, reason: 'bye', by: 'peer' }]);
  });

  it('speaks what the client offers first of several protocols on one port', async () => {
    const spoken: string[] = [];
    const note = (connection: QuicConnection): void => {
      spoken.push(connection.alpn);
      echoHandler(connection);
    };
    harness = await QuicHarness.start({ protocols: { gatesvr: note, h3: note } });
    for (const alpns of [['h3'], ['gatesvr'], ['other', 'h3', 'gatesvr']]) {
      const { connection } = await harness.connect({ alpns });
      expect(await echo(connection, 'x')).toBe('x');
    }
    expect(spoken).toEqual(['h3', 'gatesvr', 'h3']);
    await expect(harness.connect({ alpns: ['other'] })).rejects.toMatchObject({
      code: 'HANDSHAKE_FAILED',
    });
    await eventually(() => harness?.server.handshakeCount() === 0, 'no handshake left over');
  });

  it('works over IPv6, and over IPv4 and IPv6 on one port', async () => {
    harness = await QuicHarness.start({ host: '' });
    const { port } = harness.server;
    for (const host of ['127.0.0.1', '::1', 'localhost']) {
      const connection = await harness.client().connect({ host, port }, new ConnectionRecorder());
      expect(await echo(connection, host)).toBe(host);
    }
    await harness.close();
    harness = await QuicHarness.start({ host: '::1' });
    const target = { host: '::1', port: harness.server.port };
    const connection = await harness.client().connect(target, new ConnectionRecorder());
    expect(connection.remoteAddress).toBe(`[::1]:${target.port}`);
    expect(await echo(connection, 'six')).toBe('six');
  });

  it('has young objects collected while many packets are made, and while many connections begin', async () => {
    const clock = new FakeClock();
    const collect = jest.fn();
    harness = await QuicHarness.start({ collection: new EarlyCollection(clock, collect) });
    const { connection } = await harness.connect();
    for (let i = 0; i < 300; i++) await echo(connection, 'x');
    expect(collect).not.toHaveBeenCalled();
    clock.advance(20);
    await echo(connection, 'x');
    expect(collect).toHaveBeenCalledTimes(1);
    for (let i = 0; i < 8; i++) await harness.connect();
    clock.advance(50);
    await echo(connection, 'x');
    expect(collect).toHaveBeenCalledTimes(2);
  });

  it('carries many connections over one socket of a client', async () => {
    harness = await QuicHarness.start();
    const client = harness.client();
    const target = { host: '127.0.0.1', port: harness.server.port };
    const connections = await Promise.all(
      Array.from({ length: 60 }, () => client.connect(target, new ConnectionRecorder())),
    );
    const texts = connections.map((_, index) => `connection ${index}`);
    const echoes = await Promise.all(
      connections.map((connection, index) => echo(connection, texts[index] as string)),
    );
    expect(echoes).toEqual(texts);
    expect(harness.server.connectionCount()).toBe(60);
  });

  it('carries unreliable datagrams where both sides turned them on', async () => {
    const limits = { datagramQueue: 16 };
    harness = await QuicHarness.start({
      limits,
      protocols: {
        gatesvr: (connection) =>
          connection.bind({
            onStream: () => undefined,
            onClosed: () => undefined,
            onDatagrams: () => {
              const datagram = connection.readDatagram();
              if (datagram !== null) connection.sendDatagram(datagram);
            },
          }),
      },
    });
    const received: string[] = [];
    const connection = await harness.client({ limits }).connect(
      { host: '127.0.0.1', port: harness.server.port },
      {
        onStream: () => undefined,
        onClosed: () => undefined,
        onDatagrams: () => received.push(Buffer.from(connection.readDatagram() ?? []).toString()),
      },
    );
    expect(connection.sendDatagram(Buffer.alloc(5_000))).toBe(false);
    // They are unreliable, also on a busy loopback interface: one of several must come back.
    for (let attempt = 0; attempt < 20 && received.length === 0; attempt++) {
      expect(connection.sendDatagram(Buffer.from('ping'))).toBe(true);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await eventually(() => received.length > 0, 'a datagram');
    expect(new Set(received)).toEqual(new Set(['ping']));
  });
});

describe('trust', () => {
  it('refuses a certificate of another authority, name or address', async () => {
    harness = await QuicHarness.start();
    const { port } = harness.server;
    const other = Buffer.from((await makeCertificates()).ca);
    const observer = new ConnectionRecorder();
    const failed = { code: 'HANDSHAKE_FAILED' };
    await expect(
      harness
        .client({ trust: { ca: other, verify: true } })
        .connect({ host: '127.0.0.1', port }, observer),
    ).rejects.toMatchObject(failed);
    const target = { host: '127.0.0.1', port };
    await expect(
      harness.client().connect({ ...target, serverName: 'elsewhere.example' }, observer),
    ).rejects.toMatchObject(failed);
    await expect(
      harness.client().connect({ ...target, serverName: '127.0.0.2' }, observer),
    ).rejects.toMatchObject(failed);
    const trusting = harness.client({ trust: { verify: false } });
    expect(await echo(await trusting.connect(target, observer), 'ok')).toBe('ok');
  });

  it('uses another certificate for new connections without a restart', async () => {
    harness = await QuicHarness.start();
    const { server } = harness;
    const before = await harness.connect();
    const renewed = await makeCertificates();
    server.useIdentity({ cert: Buffer.from(renewed.certificate), key: Buffer.from(renewed.key) });
    await expect(harness.connect()).rejects.toMatchObject({ code: 'HANDSHAKE_FAILED' });
    const trust = { ca: Buffer.from(renewed.ca), verify: true };
    const after = await harness.connect({ trust });
    expect(await echo(after.connection, 'new')).toBe('new');
    expect(await echo(before.connection, 'old')).toBe('old');
    expect(() =>
      server.useIdentity({ cert: Buffer.from('no'), key: Buffer.from(renewed.key) }),
    ).toThrow(expect.objectContaining({ code: 'TLS_INVALID' }));
    expect(await echo((await harness.connect({ trust })).connection, 'still')).toBe('still');
  });
});

describe('start, drain and stop', () => {
  it('refuses new connections while draining, lets old ones go on, and may be repeated', async () => {
    harness = await QuicHarness.start();
    const { connection, recorder } = await harness.connect();
    harness.server.drain();
    harness.server.drain();
    await expect(harness.connect()).rejects.toMatchObject({ code: 'REFUSED' });
    expect(harness.metrics.rejected.of('draining').value).toBeGreaterThan(0);
    expect(await echo(connection, 'on')).toBe('on');
    await harness.server.start();
    await Promise.all([harness.server.stop(503, 'maintenance'), harness.server.stop()]);
    await harness.server.stop();
    await eventually(() => recorder.closed.length > 0, 'onClosed of the client');
    expect(recorder.closed).toEqual([
      { application: true, code: 503, reason: 'maintenance', by: 'peer' },
    ]);
    expect(harness.server.connectionCount()).toBe(0);
  });

  it('refuses connections above its limit and takes them again below it', async () => {
    harness = await QuicHarness.start({ maxConnections: 2 });
    const first = await harness.connect();
    await harness.connect();
    await expect(harness.connect()).rejects.toMatchObject({ code: 'REFUSED' });
    expect(harness.metrics.rejected.of('max_connections').value).toBeGreaterThan(0);
    first.connection.close(0, '');
    await eventually(() => harness?.server.connectionCount() === 1, 'a free place');
    await harness.connect();
    harness.server.limitConnections(3);
    await harness.connect();
  });

  it('says in one line that the port is in use', async () => {
    const other = dgram.createSocket('udp4');
    await new Promise<void>((done) => other.bind(0, '127.0.0.1', done));
    const { port } = other.address();
    await expect(QuicHarness.start({ port })).rejects.toMatchObject({
      name: 'StartupError',
      code: 'PORT_IN_USE',
      message: expect.stringMatching(new RegExp(`^UDP 127\\.0\\.0\\.1:${port} is in use.*[^\\n]$`)),
    });
    await new Promise<void>((done) => other.close(() => done()));
    await expect(QuicHarness.start({ host: '203.0.113.7' })).rejects.toMatchObject({
      code: 'BAD_ADDRESS',
    });
  });

  it('refuses a bad certificate or key before anything starts', async () => {
    const { cert, key } = await testIdentity();
    const other = await makeCertificates();
    const attempt = (identity: { cert: Buffer; key: Buffer }): Promise<QuicHarness> =>
      QuicHarness.start({ identity: { ...identity, certName: 'a.crt', keyName: 'a.key' } });
    await expect(attempt({ cert: Buffer.from('junk'), key })).rejects.toMatchObject({
      code: 'TLS_INVALID',
      message: 'a.crt is not a PEM certificate',
    });
    await expect(attempt({ cert, key: Buffer.from('junk') })).rejects.toMatchObject({
      code: 'TLS_INVALID',
      message: 'a.key is not an unencrypted PEM private key',
    });
    await expect(attempt({ cert, key: Buffer.from(other.key) })).rejects.toMatchObject({
      code: 'TLS_KEY_MISMATCH',
    });
  });

  it('tells a client that nobody answers', async () => {
    const silent = dgram.createSocket('udp4');
    await new Promise<void>((done) => silent.bind(0, '127.0.0.1', done));
    harness = await QuicHarness.start();
    const port = silent.address().port;
    await expect(
      harness.connect({ limits: { handshakeTimeout: 200 } }, port),
    ).rejects.toMatchObject({ code: 'TIMEOUT' });
    await new Promise<void>((done) => silent.close(() => done()));
  });
});
