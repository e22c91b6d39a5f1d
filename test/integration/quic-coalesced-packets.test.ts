import { expect, it } from '@jest/globals';
import { CONNECTION_ID_BYTES } from '../../src/quic/limits.js';
import type { QuicConnection } from '../../src/quic/quic-connection.js';
import { QuicHarness, StreamRecorder, echoHandler, eventually } from '../support/quic-harness.js';

/** A Handshake packet for a connection that has no keys for it any more, then the datagram (RFC 9000 section 17.2.4). */
function behindHandshake(datagram: Buffer): Buffer {
  const dcid = datagram.subarray(1, 1 + CONNECTION_ID_BYTES);
  const header = [0xe0, 0, 0, 0, 1, dcid.length, ...dcid, 0, 0x40, 40];
  return Buffer.concat([Buffer.from(header), Buffer.alloc(40, 7), datagram]);
}

// RFC 9000 section 12.2. quic-go leaves so, within a round trip of its handshake: its close stood for nothing.
it('a packet behind one that cannot be decrypted is taken, and so is a close', async () => {
  const servers: QuicConnection[] = [];
  const ended: unknown[] = [];
  const gatesvr = (connection: QuicConnection): void => {
    servers.push(connection);
    echoHandler(connection);
  };
  const harness = await QuicHarness.start({ protocols: { gatesvr } });
  try {
    const { connection } = await harness.connect();
    const echoes = new StreamRecorder(connection.openStream());
    echoes.stream.write(Buffer.from('before'));
    await eventually(() => echoes.length === 6, 'an echo');
    const [server] = servers as [QuicConnection];
    const receive = server.receive.bind(server);
    server.receive = (datagram, ...from) => receive(behindHandshake(datagram), ...from);
    echoes.stream.write(Buffer.from('behind'));
    await eventually(() => echoes.length === 12, 'an echo of what came behind a Handshake packet');
    connection.close(7, 'leaving');
    await eventually(() => server.quiche.isDraining() || server.quiche.isClosed(), 'its close');
    ended.push(server.quiche.peerError()?.errorCode);
    expect(ended).toEqual([7]);
  } finally {
    await harness.close();
  }
});
