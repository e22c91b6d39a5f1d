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

async function throughSmallPath(from: 'start' | 'established'): Promise<void> {
  let large = 0;
  let narrow = from === 'start';
  harness = await QuicHarness.start({ limits: PATIENT });
  proxy = await UdpProxy.start({
    targetPort: harness.server.port,
    tap: (_direction, datagram) => {
      if (!narrow || datagram.length <= LARGEST_THAT_PASSES) return datagram;
      large++;
      return null;
    },
  });
  const { connection } = await harness.connect({ limits: PATIENT }, proxy.port);
  narrow = true;
  const stream = new StreamRecorder(connection.openStream());
  const sent = randomBytes(100_000);
  stream.stream.write(sent);
  await eventually(() => stream.length === sent.length, 'the echo');
  expect(stream.bytes.equals(sent)).toBe(true);
  expect(large).toBeGreaterThan(0);
}

describe('a path that drops datagrams above 1,252 bytes without a word', () => {
  it('lets handshake and 100 KB each way through', () => throughSmallPath('start'));

  it('may come about later', () => throughSmallPath('established'));
});
