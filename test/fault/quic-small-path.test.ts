import { afterEach, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { UdpProxy } from '../../src/bench/load/udp-proxy.js';
import { PATIENCE_MS } from '../support/patience.js';
import { QuicHarness, StreamRecorder, eventually } from '../support/quic-harness.js';

/** The IPv6 minimum of 1,280 bytes without the headers of IPv4 and UDP. */
const LARGEST_THAT_PASSES = 1_252;
const PATIENT = { handshakeTimeout: PATIENCE_MS, idleTimeout: PATIENCE_MS };

let harness: QuicHarness;
let proxy: UdpProxy;

afterEach(async () => {
  await harness.close();
  await proxy.close();
});

interface SmallPath {
  /** When it is narrow. */
  readonly from: 'start' | 'established';
  /** The client's way is narrow, too: the default. */
  readonly bothWays?: boolean;
  /** ms between the PINGs of the client; 0: none. */
  readonly pingEvery?: number;
}

async function throughSmallPath(path: SmallPath): Promise<void> {
  const { from, bothWays = true, pingEvery = 0 } = path;
  let large = 0;
  let narrow = from === 'start';
  harness = await QuicHarness.start({ limits: PATIENT });
  proxy = await UdpProxy.start({
    targetPort: harness.server.port,
    tap: (direction, datagram) => {
      const passes = !narrow || (direction === 'toServer' && !bothWays);
      if (passes || datagram.length <= LARGEST_THAT_PASSES) return datagram;
      large++;
      return null;
    },
  });
  const { connection } = await harness.connect({ limits: PATIENT }, proxy.port);
  narrow = true;
  const stream = new StreamRecorder(connection.openStream());
  const sent = randomBytes(100_000);
  stream.stream.write(sent);
  const pinging = pingEvery > 0 ? setInterval(() => connection.ping(), pingEvery) : undefined;
  await eventually(() => stream.length === sent.length, 'the echo').finally(() =>
    clearInterval(pinging),
  );
  expect(stream.bytes.equals(sent)).toBe(true);
  expect(large).toBeGreaterThan(0);
}

describe('a path that drops datagrams above 1,252 bytes without a word', () => {
  it('lets handshake and 100 KB each way through', () => throughSmallPath({ from: 'start' }));

  it('may come about later', () => throughSmallPath({ from: 'established' }));

  // Its packets say nothing of ours: they are not the answer that a large datagram got through.
  it('lets 100 KB through to a client that speaks all the while', () =>
    throughSmallPath({ from: 'established', bothWays: false, pingEvery: 5 }));
});
