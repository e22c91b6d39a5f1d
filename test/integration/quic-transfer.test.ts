import { afterEach, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import type { QuicStream } from '../../src/quic/quic-stream.js';
import {
  ConnectionRecorder,
  QuicHarness,
  StreamRecorder,
  eventually,
} from '../support/quic-harness.js';
import { UdpProxy } from '../../src/bench/load/udp-proxy.js';

const NO_OBSERVER = {
  onReadable: () => undefined,
  onDrained: () => undefined,
  onAborted: () => undefined,
} as const;

let harness: QuicHarness | null = null;
let proxy: UdpProxy | null = null;

afterEach(async () => {
  await proxy?.close();
  await harness?.close();
  proxy = harness = null;
});

describe('large transfers', () => {
  it('arrive whole and in order over a network that loses, repeats and reorders', async () => {
    harness = await QuicHarness.start();
    const impaired = { loss: 0.05, duplicate: 0.05, reorder: 0.1, reorderDelay: 8, delay: 2 };
    proxy = await UdpProxy.start({
      targetPort: harness.server.port,
      seed: 20_26,
      toServer: impaired,
      toClient: impaired,
    });
    const { connection } = await harness.connect({}, proxy.port);
    const recorder = new StreamRecorder(connection.openStream());
    const bytes = randomBytes(1_000_000);
    // Pieces of all sizes, also far above what a packet or a window takes.
    for (let at = 0, size = 1; at < bytes.length; size = (size * 5 + 1) % 300_007) {
      recorder.stream.write(bytes.subarray(at, at + size));
      at += size;
    }
    recorder.stream.end();
    await eventually(() => recorder.stream.readEnded, 'the end of the transfer');
    expect(recorder.bytes.equals(bytes)).toBe(true);
    const { toServer, toClient } = proxy.counters;
    for (const counters of [toServer, toClient]) {
      expect(counters.lost).toBeGreaterThan(5);
      expect(counters.duplicated).toBeGreaterThan(5);
    }
  });

  it('go on with what a reader gave back within its turn', async () => {
    const got: string[] = [];
    harness = await QuicHarness.start({
      protocols: {
        gatesvr: (connection) =>
          connection.bind({
            onStream: (stream) => {
              const second = { ...NO_OBSERVER, onReadable: () => got.push(String(stream.read())) };
              const first = {
                ...NO_OBSERVER,
                onReadable: () => {
                  stream.unread((stream.read() as Uint8Array).subarray(1));
                  stream.bind(second);
                },
              };
              stream.bind(first);
            },
            onClosed: () => undefined,
          }),
      },
    });
    const { connection } = await harness.connect();
    await new Promise((done) => setTimeout(done, 200));
    // Two datagrams, so acknowledged at once, and nothing follows that would make another turn.
    connection.openStream().write(Buffer.alloc(2_000, 'x'));
    await eventually(() => got.join('').length === 1_999, 'the rest');
  });

  it('stop at the window of a reader that is paused, and go on', async () => {
    const streams: QuicStream[] = [];
    harness = await QuicHarness.start({
      protocols: {
        gatesvr: (connection) =>
          connection.bind({
            onStream: (stream) => {
              streams.push(stream);
              stream.pause();
            },
            onClosed: () => undefined,
          }),
      },
    });
    const { connection } = await harness.connect();
    const stream = connection.openStream();
    stream.bind({
      onReadable: () => undefined,
      onDrained: () => undefined,
      onAborted: () => undefined,
    });
    const bytes = randomBytes(3_000_000);
    stream.write(bytes);
    await eventually(() => streams.length === 1, 'the stream');
    let waiting = -1;
    await eventually(() => {
      const stable = waiting === stream.bufferedBytes;
      waiting = stream.bufferedBytes;
      return stable && bytes.length - waiting >= 256 * 1024;
    }, 'the window to fill');
    expect(bytes.length - stream.bufferedBytes).toBeLessThan(400_000);
    const recorder = new StreamRecorder(streams[0] as QuicStream);
    (streams[0] as QuicStream).resume();
    await eventually(() => recorder.length === bytes.length, 'the rest');
    expect(recorder.bytes.equals(bytes)).toBe(true);
    expect(stream.bufferedBytes).toBe(0);
  });
});

describe('a stream', () => {
  it('broken off by either side says so to the other, with the code', async () => {
    const server: StreamRecorder[] = [];
    harness = await QuicHarness.start({
      protocols: {
        gatesvr: (connection) =>
          connection.bind({
            onStream: (stream) => void server.push(new StreamRecorder(stream)),
            onClosed: () => undefined,
          }),
      },
    });
    const { connection } = await harness.connect();
    const first = new StreamRecorder(connection.openStream());
    first.stream.write(Buffer.from('x'));
    await eventually(() => server.length === 1, 'the stream');
    first.stream.reset(77);
    await eventually(() => server[0]?.aborted === 77, 'the reset');
    const second = new StreamRecorder(connection.openStream());
    second.stream.write(Buffer.from('y'));
    await eventually(() => server.length === 2, 'the second stream');
    server[1]?.stream.stopReading(55);
    await eventually(() => {
      if (second.aborted === null) second.stream.write(Buffer.from('more'));
      return second.aborted === 55;
    }, 'the wish to stop');
  });

  it('may be opened by the server and be unidirectional', async () => {
    const recorder = new ConnectionRecorder();
    harness = await QuicHarness.start({
      protocols: {
        gatesvr: (connection) => {
          connection.bind({ onStream: () => undefined, onClosed: () => undefined });
          connection.openStream('uni').write(Buffer.from('one way'));
          connection.openStream('bidi').write(Buffer.from('both ways'));
        },
      },
    });
    const received: StreamRecorder[] = [];
    recorder.onStream = (stream): void => void received.push(new StreamRecorder(stream));
    await harness
      .client({ limits: { maxStreamsBidi: 4, maxStreamsUni: 4 } })
      .connect({ host: '127.0.0.1', port: harness.server.port }, recorder);
    await eventually(
      () => received.length === 2 && received.every(({ length }) => length >= 7),
      'both streams',
    );
    const texts = received.map((stream) => [stream.stream.id, stream.bytes.toString()]);
    expect(texts.sort()).toEqual([
      [1, 'both ways'],
      [3, 'one way'],
    ]);
  });

  it('is refused by a limit of the peer, not by an exception later', async () => {
    harness = await QuicHarness.start({ limits: { maxStreamsBidi: 2 } });
    const { connection } = await harness.connect();
    connection.openStream().write(Buffer.from('1'));
    connection.openStream().write(Buffer.from('2'));
    expect(() => connection.openStream()).toThrow(
      expect.objectContaining({ code: 'STREAM_LIMIT' }),
    );
    await new Promise((done) => setTimeout(done, 50));
    expect(() => connection.openStream()).toThrow(
      expect.objectContaining({ code: 'STREAM_LIMIT' }),
    );
  });
});
