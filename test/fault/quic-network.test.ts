import { afterEach, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { QuicHarness, StreamRecorder, eventually } from '../support/quic-harness.js';
import { UdpProxy } from '../../src/bench/load/udp-proxy.js';

let harness: QuicHarness | null = null;
let proxy: UdpProxy | null = null;

afterEach(async () => {
  await proxy?.close();
  await harness?.close();
  proxy = harness = null;
});

const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

describe('connections over a bad network', () => {
  it('all come about and echo everything in order while packets are lost and ports change', async () => {
    harness = await QuicHarness.start();
    const impaired = { loss: 0.05, duplicate: 0.03, reorder: 0.1, jitter: 4 };
    proxy = await UdpProxy.start({
      targetPort: harness.server.port,
      seed: 7,
      toServer: impaired,
      toClient: impaired,
    });
    const { port } = proxy;
    const connections = 25;
    const rounds = 12;
    // A port that changes in the middle of a handshake ends it (RFC 9000 section 9).
    const connected = await Promise.all(
      Array.from({ length: connections }, () => (harness as QuicHarness).connect({}, port)),
    );
    let echoes = 0;
    const done = connected.map(async ({ connection }, number) => {
      const recorder = new StreamRecorder(connection.openStream());
      const sent: Buffer[] = [];
      let length = 0;
      for (let round = 0; round < rounds; round++) {
        const bytes = randomBytes(100 + ((number * 37 + round * 101) % 3_000));
        sent.push(bytes);
        length += bytes.length;
        recorder.stream.write(bytes);
        // Behind a NAT that rebinds only a client that speaks can be found again: one that waits for
        // an answer asks, as the SDK does.
        const asking = setInterval(() => connection.ping(), 300);
        await eventually(() => recorder.length === length, `echo ${round} of ${number}`).finally(
          () => clearInterval(asking),
        );
        echoes++;
      }
      return recorder.bytes.equals(Buffer.concat(sent));
    });
    // On a machine so slow that nothing came through since the last time, ports wait.
    let echoesThen = -1;
    const rebinding = setInterval(() => {
      if (echoes === echoesThen) return;
      echoesThen = echoes;
      proxy?.rebind();
    }, 400);
    const results = await Promise.all(done).finally(() => clearInterval(rebinding));
    expect(results).toEqual(Array<boolean>(connections).fill(true));
    expect(proxy.counters.toServer.lost).toBeGreaterThan(10);
    expect(harness.server.connectionCount()).toBe(connections);
  });

  it('outlive a silence shorter than their idle timeout', async () => {
    harness = await QuicHarness.start();
    proxy = await UdpProxy.start({ targetPort: harness.server.port });
    const { connection, recorder } = await harness.connect({}, proxy.port);
    const stream = new StreamRecorder(connection.openStream());
    stream.stream.write(Buffer.from('before '));
    await eventually(() => stream.length === 7, 'the first echo');
    proxy.blackhole(true);
    stream.stream.write(Buffer.from('meanwhile '));
    await pause(700);
    expect(stream.length).toBe(7);
    proxy.blackhole(false);
    stream.stream.write(Buffer.from('after'));
    await eventually(() => stream.bytes.toString() === 'before meanwhile after', 'the rest');
    expect(recorder.closed).toEqual([]);
  });
});
