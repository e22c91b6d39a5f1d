import { afterEach, expect, it } from '@jest/globals';
import { ConnectionRecorder, QuicHarness } from '../support/quic-harness.js';

let harness: QuicHarness | null = null;
afterEach(async () => {
  await harness?.close();
  harness = null;
});

it('tells a client that speaks none of its protocols so at once (RFC 9001 section 8.1)', async () => {
  harness = await QuicHarness.start();
  const client = harness.client({ alpns: ['unheard-of'] });
  const target = { host: '127.0.0.1', port: harness.server.port };
  const failure = client.connect(target, new ConnectionRecorder());
  await expect(failure).rejects.toThrow(/TLS alert 120 refused by the server/);
  // Told with the first packet, which a client that was held up may have sent twice.
  expect(harness.metrics.answered.of('close').value).toBeGreaterThan(0);
  expect(harness.metrics.answered.of('retry').value).toBe(0);
  expect(harness.server.connectionCount()).toBe(0);
  expect(harness.server.handshakeCount()).toBe(0);
});
