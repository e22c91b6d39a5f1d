import { afterEach, describe, expect, it } from '@jest/globals';
import type { Link } from '../../src/link/link.js';
import { eventually } from '../support/quic-harness.js';
import { openWebSocket } from '../support/ws-client.js';
import { WsHarness } from '../support/ws-harness.js';

const FRAMES = 150_000;
/** A masked binary message of two bytes, its mask all zeros. */
const MESSAGE = Buffer.from([0x82, 0x82, 0, 0, 0, 0, 0x18, 0x05]);

let harness: WsHarness | null = null;

afterEach(async () => {
  await harness?.close();
  harness = null;
});

/** Counts the frames of a Link, and how many of them came in one turn of the event loop at most. */
function counted(link: Link): { all: number; mostInTurn: number } {
  const count = { all: 0, mostInTurn: 0 };
  let inTurn = 0;
  link.bind({
    onFrame: () => {
      if (inTurn === 0) setImmediate(() => (inTurn = 0));
      count.all++;
      count.mostInTurn = Math.max(count.mostInTurn, ++inTurn);
    },
    onBadFrame: () => undefined,
    onWritable: () => undefined,
    onClosed: () => undefined,
  });
  return count;
}

describe('a client that sends small messages as fast as it can', () => {
  it('is read a little in each turn, so that all others have theirs', async () => {
    let count = { all: 0, mostInTurn: 0 };
    harness = await WsHarness.start({ accept: (link) => (count = counted(link)) });
    const { webSocket, socket } = await openWebSocket(harness.server.port, 'gatesvr');
    // Waits whole in the buffers of the system, which hand over 2 MiB at once where nobody minds.
    socket.write(Buffer.alloc(FRAMES * MESSAGE.length, MESSAGE));
    await eventually(() => count.all === FRAMES, 'all of them');
    expect(count.mostInTurn).toBeLessThanOrEqual(65_536 / MESSAGE.length);
    webSocket.terminate();
  });
});
