import { afterEach, describe, expect, it } from '@jest/globals';
import type { QuicConnection } from '../../src/quic/quic-connection.js';
import { QuicHarness, StreamRecorder, echoHandler, eventually } from '../support/quic-harness.js';

let harness: QuicHarness | null = null;
afterEach(async () => {
  await harness?.close();
  harness = null;
});

/** A server, and its connections as they come. */
async function serve(): Promise<{ server: QuicHarness; connections: QuicConnection[] }> {
  const connections: QuicConnection[] = [];
  const gatesvr = (connection: QuicConnection): void => {
    connections.push(connection);
    echoHandler(connection);
  };
  harness = await QuicHarness.start({ protocols: { gatesvr } });
  return { server: harness, connections };
}

describe('a peer that changes connection ids while it talks', () => {
  it('always finds another spare, though every one of its datagrams carries stream data', async () => {
    const { server: gateway, connections } = await serve();
    const { connection, recorder } = await gateway.connect();
    const echoes = new StreamRecorder(connection.openStream());
    for (let round = 0; round < 20; round++) {
      await eventually(() => connection.quiche.availableDcids() > 0, `a spare id, round ${round}`);
      // The id in use has the number of the round: each retirement moves to the next.
      connection.quiche.retireDestinationCid(round);
      const { length } = echoes;
      echoes.stream.write(Buffer.from(`round ${round}`));
      await eventually(() => echoes.length > length, 'an echo');
    }
    expect(recorder.closed).toEqual([]);
    expect(gateway.server.idCount()).toBeLessThanOrEqual(4);
    expect(connections[0]?.quiche.activeSourceCids()).toBeGreaterThan(1);
  });

  it('leaves two after a retirement: with one, quiche takes a repeated retirement for a violation', async () => {
    const { server: gateway, connections } = await serve();
    const { connection } = await gateway.connect();
    await eventually(() => connection.quiche.availableDcids() > 0, 'a spare id');
    const [server] = connections as [QuicConnection];
    const left: number[] = [];
    // Before the turn ends, in which another is issued.
    const receive = server.receive.bind(server);
    server.receive = (...datagram) => {
      receive(...datagram);
      left.push(server.quiche.activeSourceCids());
    };
    connection.quiche.retireDestinationCid(0);
    connection.ping();
    // What the client had sent before may arrive before it.
    await eventually(() => left.some((count) => count < 3), 'the retirement');
    expect(Math.min(...left)).toBe(2);
    await eventually(() => server.quiche.activeSourceCids() === 3, 'another in its place');
  });
});
