import { afterEach, describe, expect, it } from '@jest/globals';
import type { QuicConnection } from '../../src/quic/quic-connection.js';
import { QuicHarness, StreamRecorder, echoHandler, eventually } from '../support/quic-harness.js';

let harness: QuicHarness | null = null;
afterEach(async () => {
  await harness?.close();
  harness = null;
});

describe('a peer that changes connection ids while it talks', () => {
  it('always finds another spare, though every one of its datagrams carries stream data', async () => {
    const serverSide: QuicConnection[] = [];
    const protocols = {
      gatesvr: (connection: QuicConnection): void => {
        serverSide.push(connection);
        echoHandler(connection);
      },
    };
    harness = await QuicHarness.start({ protocols });
    const { connection, recorder } = await harness.connect();
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
    expect(harness.server.idCount()).toBeLessThanOrEqual(4);
    expect(serverSide[0]?.quiche.activeSourceCids()).toBeGreaterThan(1);
  });

  it('leaves two after a retirement: with one, quiche takes a repeated retirement for a violation', async () => {
    const serverSide: QuicConnection[] = [];
    const protocols = {
      gatesvr: (connection: QuicConnection): void => {
        serverSide.push(connection);
        echoHandler(connection);
      },
    };
    harness = await QuicHarness.start({ protocols });
    const { connection } = await harness.connect();
    await eventually(() => connection.quiche.availableDcids() > 0, 'a spare id');
    const [server] = serverSide as [QuicConnection];
    const left: number[] = [];
    // Before the turn ends, in which another is issued.
    const receive = server.receive.bind(server);
    server.receive = (...datagram) => {
      receive(...datagram);
      left.push(server.quiche.activeSourceCids());
    };
    connection.quiche.retireDestinationCid(0);
    connection.ping();
    await eventually(() => left.length > 0, 'the retirement');
    expect(left[0]).toBe(2);
    await eventually(() => server.quiche.activeSourceCids() === 3, 'another in its place');
  });
});
