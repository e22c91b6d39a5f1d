import { afterEach, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import dgram from 'node:dgram';
import { clientInitial } from '../support/client-initial.js';
import { QuicHarness, eventually, testIdentity } from '../support/quic-harness.js';

const AMPLIFICATION = 3;
const PING = Buffer.from([1, 0, 0, 0]);

let harness: QuicHarness | null = null;

afterEach(async () => {
  await harness?.close();
  harness = null;
});

describe('an address that has not shown that it hears us', () => {
  it('gets at most three times what came from it, padding counted', async () => {
    harness = await QuicHarness.start();
    const { server } = harness;
    const socket = dgram.createSocket('udp4');
    let [sent, got] = [0, 0];
    socket.on('message', (datagram) => (got += datagram.length));
    const dcid = randomBytes(8);
    const send = (datagram: Buffer): void => {
      sent += datagram.length;
      socket.send(datagram, server.port, '127.0.0.1');
    };
    const first = clientInitial({ dcid, packetNumber: 0, frames: PING });
    send(Buffer.concat([first, Buffer.alloc(1_200 - first.length)]));
    await eventually(() => got > 0, 'an acknowledgement');
    // Each asks for an acknowledgement, which quiche pads to 1,200 bytes.
    for (let packetNumber = 1; packetNumber <= 40; packetNumber++) {
      send(clientInitial({ dcid, packetNumber, frames: PING }));
      await eventually(() => harness?.metrics.datagrams.value === packetNumber + 1, 'its arrival');
    }
    socket.close();
    expect(server.handshakeCount()).toBe(1);
    expect(got).toBeLessThanOrEqual(AMPLIFICATION * sent);
  });

  it('gets more than that, a long chain of certificates, as soon as it has answered', async () => {
    const { cert, key } = await testIdentity();
    const chain = Buffer.concat(Array<Buffer>(40).fill(cert));
    harness = await QuicHarness.start({ identity: { cert: chain, key } });
    const { connection } = await harness.connect({ trust: { verify: false } });
    expect(connection.established).toBe(true);
    await eventually(() => harness?.server.handshakeCount() === 0, 'the end of the handshake');
    // Three bytes for each one of its bare acknowledgements would have taken some 180 of them.
    expect(harness.metrics.datagrams.value).toBeLessThan(60);
  });
});
