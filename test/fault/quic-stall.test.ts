import { afterEach, describe, expect, it } from '@jest/globals';
import { PATIENCE_MS } from '../support/patience.js';
import { QuicHarness, StreamRecorder } from '../support/quic-harness.js';

const IDLE_MS = 800;

let harness: QuicHarness | null = null;

afterEach(async () => {
  await harness?.close();
  harness = null;
});

/**
 * Half an idle timeout after the last packet a client writes, and the loop of both stands still until the
 * server's idle timeout is over, but not the client's, which began anew with what it sent.
 * @returns whether the server heard the client.
 */
async function survivesStall(): Promise<boolean> {
  harness = await QuicHarness.start({ limits: { idleTimeout: IDLE_MS }, keepalive: null });
  const { connection, recorder } = await harness.connect();
  const stream = new StreamRecorder(connection.openStream());
  const quietSince = performance.now();
  await new Promise((done) => setTimeout(done, IDLE_MS / 2));
  stream.stream.write(Buffer.from('here I am'));
  // The write leaves in the immediate before this one.
  setImmediate(() => {
    while (performance.now() - quietSince < IDLE_MS * 1.25);
  });
  while (recorder.closed.length === 0 && stream.length === 0) {
    await new Promise((done) => setTimeout(done, 5));
  }
  await harness.close();
  harness = null;
  return stream.length > 0;
}

describe('a process that stands still past the idle timeout of its connections', () => {
  it('reads what came meanwhile before it gives a peer up', async () => {
    // A machine that sleeps by itself may spoil an attempt, though hardly all of them.
    const end = performance.now() + PATIENCE_MS;
    let survived = await survivesStall();
    while (!survived && performance.now() < end) survived = await survivesStall();
    expect(survived).toBe(true);
  });
});
