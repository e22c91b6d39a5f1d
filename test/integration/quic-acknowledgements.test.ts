import { afterEach, describe, expect, it } from '@jest/globals';
import type { QuicConnection } from '../../src/quic/quic-connection.js';
import type { QuicStream } from '../../src/quic/quic-stream.js';
import { FakeClock } from '../support/fake-clock.js';
import { QuicHarness, StreamRecorder, eventually, settled } from '../support/quic-harness.js';

let harness: QuicHarness | null = null;

afterEach(async () => {
  await harness?.close();
  harness = null;
});

/** A client that writes and a server that reads; time stands still for both, so nothing is sent by a timer. */
async function writerAndReader(): Promise<{
  stream: QuicStream;
  connection: QuicConnection;
  served: QuicConnection;
  read: StreamRecorder;
  clock: FakeClock;
}> {
  const clock = new FakeClock();
  const served: QuicConnection[] = [];
  const read: StreamRecorder[] = [];
  harness = await QuicHarness.start({
    clock,
    protocols: {
      gatesvr: (connection) => {
        served.push(connection);
        connection.bind({
          onStream: (stream) => void read.push(new StreamRecorder(stream)),
          onClosed: () => undefined,
        });
      },
    },
  });
  const { connection } = await harness.connect({ clock: new FakeClock() });
  const stream = connection.openStream();
  stream.write(Buffer.from('first'));
  await eventually(() => read.length === 1, 'the stream');
  const first = served[0] as QuicConnection;
  clock.advance(100);
  await settled(() => first.stats().sent);
  return { stream, connection, served: first, read: read[0] as StreamRecorder, clock };
}

/** Writes once after the other, each when the one before was read, so that each is a datagram. */
async function writeOneByOne(to: QuicStream, read: StreamRecorder, sizes: number[]): Promise<void> {
  for (const size of sizes) {
    const before = read.length;
    to.write(Buffer.alloc(size, 'x'));
    await eventually(() => read.length === before + size, 'the bytes');
  }
}

describe('acknowledgements that no answer travels with', () => {
  it('wait where little came, and leave in one packet', async () => {
    const { stream, served, read, clock } = await writerAndReader();
    const before = served.stats().sent;
    await writeOneByOne(stream, read, [50, 50, 50, 50, 50]);
    await settled(() => served.stats().sent);
    expect(served.stats().sent).toBe(before);
    clock.advance(25);
    await settled(() => served.stats().sent);
    expect(served.stats().sent).toBe(before + 1);
  });

  it('leave no later for datagrams that go on coming', async () => {
    const { stream, served, read, clock } = await writerAndReader();
    const before = served.stats().sent;
    for (let waited = 0; waited < 25; waited += 5) {
      await writeOneByOne(stream, read, [50]);
      await settled(() => read.length);
      clock.advance(5);
    }
    await settled(() => served.stats().sent);
    expect(served.stats().sent).toBeGreaterThan(before);
  });

  it('leave at once where a congestion window may be full', async () => {
    const { stream, served, read } = await writerAndReader();
    const before = served.stats().sent;
    await writeOneByOne(stream, read, [1_000, 1_000]);
    await eventually(() => served.stats().sent > before, 'the acknowledgement');
    expect(served.stats().sent).toBe(before + 1);
  });

  it('take the id along that comes for a retired one', async () => {
    const { stream, connection, served, read, clock } = await writerAndReader();
    const spare = connection.quiche.availableDcids();
    const before = served.stats().sent;
    connection.quiche.retireDestinationCid(0);
    await writeOneByOne(stream, read, [50]);
    await settled(() => served.stats().sent);
    expect(served.stats().sent).toBe(before);
    expect(connection.quiche.availableDcids()).toBe(spare - 1);
    clock.advance(25);
    await eventually(() => connection.quiche.availableDcids() === spare, 'another id');
    expect(served.stats().sent).toBe(before + 1);
  });
});
