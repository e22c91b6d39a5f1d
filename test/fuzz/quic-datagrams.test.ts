import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import dgram from 'node:dgram';
import type { Socket } from 'node:dgram';
import { ACTIVE_CONNECTION_IDS } from '../../src/quic/limits.js';
import { parseLongHeader } from '../../src/quic/packet-header.js';
import type { QuicConnection } from '../../src/quic/quic-connection.js';
import { QuicHarness, StreamRecorder, eventually } from '../support/quic-harness.js';
import { undisturbed } from '../support/undisturbed.js';
import { UdpProxy } from '../../src/bench/load/udp-proxy.js';

/** `FUZZ_RUNS=100000` is the long form. */
const RUNS = Number(process.env['FUZZ_RUNS'] ?? 3_000);

describe('parseLongHeader', () => {
  it('takes any bytes and reads only what is there', () => {
    const lengths = fc.integer({ min: 0, max: 64 });
    const noise = fc.uint8Array({ minLength: 0, maxLength: 1_400 });
    fc.assert(
      fc.property(
        noise,
        fc.integer({ min: 0, max: 255 }),
        lengths,
        lengths,
        (bytes, first, d, s) => {
          const datagram = Buffer.from(bytes);
          if (datagram.length > 6) {
            datagram.writeUInt8(first, 0);
            datagram.writeUInt32BE(first & 1, 1);
            datagram.writeUInt8(d, 5);
            if (datagram.length > 6 + d) datagram.writeUInt8(s, 6 + d);
          }
          const header = parseLongHeader(datagram);
          if (header === null) return;
          expect(header.dcid.length).toBe(datagram[5]);
          const end = 7 + header.dcid.length + header.scid.length + header.token.length;
          expect(end).toBeLessThanOrEqual(datagram.length);
          if (header.version === 1) expect(header.dcid.length).toBeLessThanOrEqual(20);
        },
      ),
      { numRuns: RUNS },
    );
  });
});

describe('a server that is sent noise', () => {
  let harness: QuicHarness;
  let proxy: UdpProxy;
  let socket: Socket;
  let good: { connection: QuicConnection; recorder: StreamRecorder };
  const captured: Buffer[] = [];

  beforeAll(async () => {
    harness = await QuicHarness.start({ limits: { handshakeTimeout: 500 } });
    proxy = await UdpProxy.start({
      targetPort: harness.server.port,
      tap: (direction, datagram) => {
        if (direction === 'toServer' && captured.length < 200) captured.push(Buffer.from(datagram));
        return datagram;
      },
    });
    await undisturbed(async () => {
      const { connection, recorder: ends } = await harness.connect({}, proxy.port);
      good = { connection, recorder: new StreamRecorder(connection.openStream()) };
      good.recorder.stream.write(Buffer.from('hello'));
      await eventually(() => good.recorder.length + ends.closed.length > 0, 'the first echo');
      expect(String(good.recorder.bytes)).toBe('hello');
    });
    socket = dgram.createSocket('udp4');
    await new Promise<void>((done) => socket.bind(0, '127.0.0.1', done));
  });

  afterAll(async () => {
    await new Promise<void>((done) => socket.close(() => done()));
    await proxy.close();
    await harness.close();
  });

  /** Noise of every kind: bare, shaped like packets, and genuine packets cut, changed or repeated. */
  const noise = fc.oneof(
    fc.uint8Array({ minLength: 0, maxLength: 1_400 }),
    fc.uint8Array({ minLength: 1_200, maxLength: 1_500 }).map((bytes) => {
      // An Initial of version 1 to an id of 8 bytes.
      bytes.set([0xc0 | ((bytes[0] ?? 0) & 3), 0, 0, 0, 1, 8]);
      bytes[14] = 8;
      bytes[23] = 0;
      return bytes;
    }),
    fc.uint8Array({ minLength: 21, maxLength: 1_400 }).map((bytes) => {
      bytes[0] = 0x40 | ((bytes[0] ?? 0) & 0x3f);
      return bytes;
    }),
    fc
      .tuple(fc.nat(), fc.nat(), fc.integer({ min: 1, max: 255 }), fc.nat({ max: 3 }))
      .map(([which, where, flip, kind]) => {
        const bytes = Buffer.from(captured[which % captured.length] ?? []);
        if (kind === 0) return bytes.subarray(0, where % (bytes.length + 1));
        if (kind === 1) return Buffer.concat([bytes, bytes]);
        if (kind === 2 && bytes.length > 0) {
          const at = where % bytes.length;
          bytes[at] = (bytes[at] ?? 0) ^ flip;
        }
        return bytes;
      }),
    fc.uint8Array({ minLength: 9_000, maxLength: 20_000 }),
  );

  it('throws nothing, keeps nothing, and goes on serving a good connection', async () => {
    expect(captured.length).toBeGreaterThan(2);
    let sent = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(noise, { minLength: 10, maxLength: 30 }), async (datagrams) => {
        for (const datagram of datagrams) socket.send(datagram, harness.server.port, '127.0.0.1');
        sent += datagrams.length;
        const before = good.recorder.length;
        good.recorder.stream.write(Buffer.from('still there?'));
        await eventually(() => good.recorder.length === before + 12, 'an echo among the noise');
      }),
      { numRuns: Math.ceil(RUNS / 20) },
    );
    expect(sent).toBeGreaterThan(RUNS / 3);
    // Repeated Initials may begin a handshake that nobody goes on with; it must time out.
    await eventually(() => harness.server.connectionCount() === 1, 'only the good connection');
    expect(harness.server.handshakeCount()).toBe(0);
    expect(harness.server.idCount()).toBeLessThanOrEqual(1 + ACTIVE_CONNECTION_IDS);
    expect(good.connection.closed).toBe(false);
    expect(harness.metrics.addressChanges.value).toBe(0);
  });
});
