import { afterEach, describe, expect, it } from '@jest/globals';
import { Registry } from 'prom-client';
import { SystemClock } from '../../src/base/clock.js';
import { quicEdge } from '../../src/edge/quic-edge.js';
import type { Link } from '../../src/link/link.js';
import { ErrorCode } from '../../src/wire/error-catalogue.js';
import { QuicMetrics } from '../../src/telemetry/quic-metrics.js';
import { RecordingObserver } from '../compliance/recording-observer.js';
import { QuicHarness, StreamRecorder, eventually, settled } from '../support/quic-harness.js';
import { UdpProxy } from '../../src/bench/load/udp-proxy.js';

let harness: QuicHarness | null = null;
let proxy: UdpProxy | null = null;

afterEach(async () => {
  await proxy?.close();
  await harness?.close();
  proxy = harness = null;
});

function edge(streamTimeout?: number): {
  links: RecordingObserver[];
  metrics: QuicMetrics;
  handler: ReturnType<typeof quicEdge>;
} {
  const links: RecordingObserver[] = [];
  const metrics = new QuicMetrics(new Registry());
  const handler = quicEdge({
    accept: (link: Link) => void links.push(new RecordingObserver(link)),
    clock: new SystemClock(),
    metrics,
    ...(streamTimeout === undefined ? {} : { streamTimeout }),
  });
  return { links, metrics, handler };
}

const FRAME = Buffer.from([0, 0, 0, 2, 104, 105]);

describe('the QUIC edge', () => {
  it('closes a connection that never opens a stream', async () => {
    const { links, metrics, handler } = edge(50);
    harness = await QuicHarness.start({ protocols: { gatesvr: handler } });
    const { recorder } = await harness.connect();
    await eventually(() => recorder.closed.length > 0, 'the close');
    expect(recorder.closed[0]).toMatchObject({ application: true, code: 401, by: 'peer' });
    expect(metrics.rejected.of('no_stream').value).toBe(1);
    expect(links).toHaveLength(0);
  });

  it('refuses every stream but the first, a thousand of them, and the first goes on', async () => {
    const { links, metrics, handler } = edge();
    harness = await QuicHarness.start({ protocols: { gatesvr: handler } });
    const { connection } = await harness.connect();
    const first = new StreamRecorder(connection.openStream());
    first.stream.write(FRAME);
    await eventually(() => links.length === 1, 'the link');
    let opened = 0;
    await eventually(() => {
      for (;;) {
        try {
          const stream = new StreamRecorder(connection.openStream()).stream;
          stream.write(FRAME);
          stream.end();
          opened++;
        } catch {
          return opened >= 1_000;
        }
      }
    }, 'a thousand streams');
    await eventually(() => metrics.streamsRefused.value >= 1_000, 'their refusal');
    first.stream.write(FRAME);
    await eventually(() => links[0]?.frames.length === 2, 'the frame on the first stream');
    expect(links).toHaveLength(1);
    expect(links[0]?.closed).toEqual([]);
    expect(connection.closed).toBe(false);
  });

  it('ends the link of a stream that is reset, once', async () => {
    const { links, handler } = edge();
    harness = await QuicHarness.start({ protocols: { gatesvr: handler } });
    const { connection, recorder } = await harness.connect();
    const stream = new StreamRecorder(connection.openStream()).stream;
    stream.write(FRAME);
    await eventually(() => links.length === 1, 'the link');
    stream.reset(9);
    await eventually(() => links[0]?.closed.length === 1, 'onClosed');
    expect(links[0]?.closed[0]).toMatchObject({ code: 0, by: 'peer' });
    await eventually(() => recorder.closed.length > 0, 'the end of the connection');
  });

  it('hears STOP, end of stream and close that come together, in that order', async () => {
    const { links, handler } = edge();
    harness = await QuicHarness.start({ protocols: { gatesvr: handler } });
    const { connection } = await harness.connect();
    const stream = new StreamRecorder(connection.openStream()).stream;
    stream.write(FRAME);
    await eventually(() => links.length === 1, 'the link');
    stream.write(FRAME);
    stream.end();
    // In the turn after this one everything was sent: a deployed client closes like that.
    setImmediate(() => connection.close(0, 'done'));
    await eventually(() => links[0]?.closed.length === 1, 'onClosed');
    expect(links[0]?.frames).toHaveLength(2);
    expect(links[0]?.closed).toEqual([{ code: 0, reason: 'done', by: 'peer' }]);
  });

  it('tells a client why it is refused, also one that ended its side with its first frame', async () => {
    const handler = quicEdge({
      accept: (link) => {
        link.bind({
          onFrame: () => {
            link.send(FRAME);
            link.finish(ErrorCode.Unauthenticated, 'refused');
          },
          onBadFrame: () => undefined,
          onWritable: () => undefined,
          onClosed: () => undefined,
        });
      },
      clock: new SystemClock(),
      metrics: new QuicMetrics(new Registry()),
    });
    harness = await QuicHarness.start({ protocols: { gatesvr: handler } });
    const { connection, recorder } = await harness.connect();
    const answer = new StreamRecorder(connection.openStream());
    answer.stream.write(FRAME);
    answer.stream.end();
    await eventually(() => recorder.closed.length > 0, 'the close');
    expect(answer.bytes).toEqual(FRAME);
    expect(recorder.closed[0]).toMatchObject({ application: true, code: 401, by: 'peer' });
  });

  it('loses the link of a client that falls silent, after the idle timeout', async () => {
    const { links, handler } = edge();
    harness = await QuicHarness.start({
      protocols: { gatesvr: handler },
      limits: { idleTimeout: 5_000 },
    });
    proxy = await UdpProxy.start({ targetPort: harness.server.port });
    const { connection, recorder } = await harness.connect({}, proxy.port);
    const stream = new StreamRecorder(connection.openStream()).stream;
    stream.write(FRAME);
    await eventually(() => links[0]?.frames.length === 1, 'the frame');
    proxy.blackhole(true);
    await eventually(() => links[0]?.closed.length === 1, 'onClosed');
    expect(links[0]?.closed).toEqual([{ code: 0, reason: 'timed out', by: 'loss' }]);
    await eventually(() => recorder.closed.length === 1, 'onClosed of the client');
    expect(recorder.closed[0]?.by).toBe('loss');
    await eventually(() => harness?.server.connectionCount() === 0, 'an empty server');
  });
});

describe('keepalive', () => {
  it('keeps a quiet client that would time out, and leaves others alone', async () => {
    const { handler } = edge();
    harness = await QuicHarness.start({
      protocols: { gatesvr: handler },
      keepalive: { silence: 100, idleBelow: 10_001 },
    });
    // Longer than a machine stands still.
    const idleTimeout = 5_000;
    const quiet = await harness.connect({ limits: { idleTimeout } });
    const patient = await harness.connect({ limits: { idleTimeout: 30_000 } });
    const received = (): number => patient.connection.stats().received;
    await settled(received);
    const before = received();
    await new Promise((done) => setTimeout(done, idleTimeout + 1_000));
    expect(quiet.recorder.closed).toEqual([]);
    expect(harness.metrics.keepalives.value).toBeGreaterThanOrEqual(3);
    expect(received()).toBe(before);
  });
});

describe('the budget of bytes that bring nothing', () => {
  it('closes a client that only sends PINGs, however slowly it goes, and no other', async () => {
    const { links, handler } = edge();
    harness = await QuicHarness.start({
      protocols: { gatesvr: handler },
      limits: { connectionWindow: 1_000, maxConnectionWindow: 1_000 },
    });
    const good = await harness.connect();
    new StreamRecorder(good.connection.openStream()).stream.write(FRAME);
    const bad = await harness.connect({ limits: { datagramQueue: 0 } });
    // 65 KiB of PINGs of some 30 bytes each; our answers give half of their size back.
    let sent = 0;
    await eventually(() => {
      for (let count = 0; count < 50; count++) {
        bad.connection.quiche.sendAckEliciting();
        bad.connection.flush();
        bad.connection.ping();
        bad.connection.flush();
        sent += 2;
      }
      return bad.recorder.closed.length > 0;
    }, 'the close');
    expect(sent).toBeGreaterThan(500);
    expect(bad.recorder.closed[0]).toMatchObject({
      application: false,
      reason: expect.stringContaining('bring nothing'),
    });
    expect(harness.metrics.rejected.of('waste').value).toBe(1);
    expect(good.connection.closed).toBe(false);
    expect(links).toHaveLength(1);
  });
});
