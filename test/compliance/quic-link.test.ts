import { afterAll, beforeAll } from '@jest/globals';
import { Registry } from 'prom-client';
import { SystemClock } from '../../src/base/clock.js';
import { linkClosedOf, quicEdge } from '../../src/edge/quic-edge.js';
import type { Link } from '../../src/link/link.js';
import { StreamLink } from '../../src/link/stream-link.js';
import { QuicMetrics } from '../../src/telemetry/quic-metrics.js';
import { QuicHarness } from '../support/quic-harness.js';
import { linkSuite } from './link-suite.js';

const clock = new SystemClock();
let harness: QuicHarness;
let acceptor: ((link: Link) => void) | null = null;

beforeAll(async () => {
  const metrics = new QuicMetrics(new Registry());
  const edge = quicEdge({ accept: (link) => acceptor?.(link), clock, metrics });
  harness = await QuicHarness.start({ protocols: { gatesvr: edge } });
});

afterAll(async () => {
  await harness.close();
});

linkSuite('QUIC', async (accept) => {
  acceptor = accept;
  const client = harness.client();
  let link: StreamLink | null = null;
  const connection = await client.connect(
    { host: '127.0.0.1', port: harness.server.port },
    {
      onStream: () => undefined,
      onClosed: (closed) => link?.connectionClosed(linkClosedOf(closed)),
    },
  );
  link = new StreamLink('quic', connection.openStream(), connection, clock);
  return { client: link, release: () => client.stop() };
});
