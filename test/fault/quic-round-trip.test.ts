import { afterEach, expect, test } from '@jest/globals';
import { UdpProxy } from '../../src/bench/load/udp-proxy.js';
import type { QuicConnection } from '../../src/quic/quic-connection.js';
import { QuicHarness, StreamRecorder, echoHandler, eventually } from '../support/quic-harness.js';

let harness: QuicHarness | null = null;
let proxy: UdpProxy | null = null;

afterEach(async () => {
  await proxy?.close();
  await harness?.close();
  proxy = harness = null;
});

/** A conversation of small messages takes so long, ms. */
const TALK_MS = 6_000;
const MESSAGE_EVERY_MS = 25;

test('losses do not make round trips look longer and longer', async () => {
  const serverSide: QuicConnection[] = [];
  const gatesvr = (connection: QuicConnection): void => {
    serverSide.push(connection);
    echoHandler(connection);
  };
  harness = await QuicHarness.start({ protocols: { gatesvr } });
  const lossy = { loss: 0.1, delay: 5 };
  proxy = await UdpProxy.start({
    targetPort: harness.server.port,
    seed: 11,
    toServer: lossy,
    toClient: lossy,
  });
  const { connection } = await harness.connect({}, proxy.port);
  const recorder = new StreamRecorder(connection.openStream());
  let asked = 0;
  // Whoever shares the machine makes round trips longer by as much as this process stands still.
  let [stoodStill, last] = [0, performance.now()];
  const talk = setInterval(() => {
    const now = performance.now();
    stoodStill = Math.max(stoodStill, now - last);
    last = now;
    const message = Buffer.alloc(50 + (asked % 7) * 20);
    asked += message.length;
    recorder.stream.write(message);
  }, MESSAGE_EVERY_MS);
  await new Promise((resolve) => setTimeout(resolve, TALK_MS));
  clearInterval(talk);
  const [server] = serverSide as [QuicConnection];
  expect(connection.stats().lost + server.stats().lost).toBeGreaterThan(0);
  // Truly some 10 ms, on a busy machine more; taken wrongly they grow with the age of the connection.
  const longest = Math.max(connection.stats().rtt, server.stats().rtt);
  expect(longest).toBeLessThan(TALK_MS / 4 + stoodStill);
  await eventually(() => recorder.length === asked, 'every echo');
});
