import { afterEach, describe, expect, it } from '@jest/globals';
import type { QuicClosed } from '../../src/quic/quic-closed.js';
import type { QuicConnection } from '../../src/quic/quic-connection.js';
import { QuicHarness, eventually } from '../support/quic-harness.js';

let harness: QuicHarness;

afterEach(() => harness.close());

describe('a connection for which quiche makes no packets any more', () => {
  it('ends, is counted, and its peer is told by a stateless reset', async () => {
    const served: QuicConnection[] = [];
    const ended: QuicClosed[] = [];
    const gatesvr = (connection: QuicConnection): void => {
      served.push(connection);
      connection.bind({ onStream: () => undefined, onClosed: (closed) => ended.push(closed) });
    };
    const limits = { idleTimeout: 300_000 };
    harness = await QuicHarness.start({ protocols: { gatesvr }, limits });
    const { connection, recorder } = await harness.connect({ limits });
    await eventually(() => served.length === 1, "the server's end");
    const broken = served[0]?.quiche as { send: unknown };
    broken.send = () => {
      throw new Error('InvalidState');
    };
    await eventually(() => {
      connection.ping();
      return recorder.closed.length === 1;
    }, 'the end');
    expect(ended).toMatchObject([{ by: 'loss' }]);
    expect(recorder.closed).toMatchObject([{ by: 'loss' }]);
    expect(harness.metrics.datagramsDropped.of('send_error').value).toBeGreaterThanOrEqual(2);
    expect(harness.server.connectionCount()).toBe(0);
  });
});
