import { describe, expect, it } from '@jest/globals';
import { CLOSES_PER_TURN, closeAll } from '../../../src/quic/gentle-stop.js';

const CLOSE_BYTES = 60;
const MOST_QUEUED = 64 * 1024;

/** A socket whose kernel takes so many datagrams at a time, and that drops what is too much, as ours does. */
class SlowSocket {
  left = 0;
  dropped = 0;
  private waiting = 0;
  /** Closed, and sent with the next turn. */
  private closed = 0;

  constructor(private readonly taken: number) {}

  close = (): void => void this.closed++;
  queuedBytes = (): number => this.waiting * CLOSE_BYTES;

  turn = (): Promise<void> => {
    for (; this.closed > 0; this.closed--) {
      if (this.queuedBytes() > MOST_QUEUED) this.dropped++;
      else this.waiting++;
    }
    return this.pause();
  };

  pause = (): Promise<void> => {
    const now = Math.min(this.waiting, this.taken);
    this.waiting -= now;
    this.left += now;
    return Promise.resolve();
  };
}

describe('closeAll', () => {
  it.each([1_000, 200, 7])(
    'lets 100,000 closes leave through a socket that takes %d at a time',
    async (taken) => {
      const socket = new SlowSocket(taken);
      const connections = Array.from({ length: 100_000 }, (_, index) => index);
      await closeAll(connections, socket.close, socket);
      expect({ left: socket.left, dropped: socket.dropped }).toEqual({ left: 100_000, dropped: 0 });
    },
  );

  it('does not wait for ever for a socket that takes nothing', async () => {
    const socket = new SlowSocket(0);
    const connections = Array.from({ length: 2 * CLOSES_PER_TURN }, (_, index) => index);
    await closeAll(connections, socket.close, socket);
    expect(socket.left).toBe(0);
  });

  it('is over at once where there is nobody', async () => {
    const socket = new SlowSocket(1);
    await closeAll([], socket.close, socket);
    expect(socket.left).toBe(0);
  });
});
