import { describe, expect, it } from '@jest/globals';
import type { QuicheConnection } from '../../../src/quic/quiche.js';
import type { StreamHost } from '../../../src/quic/quic-stream.js';
import { StreamSet } from '../../../src/quic/stream-set.js';

/** A connection on whose streams one read's worth of bytes waits, for each time that it is named. */
class Peer {
  asked = 0;
  private waiting: number[] = [];
  private readonly streams: StreamSet;
  private readonly opened: number[] = [];

  constructor(isServer: boolean) {
    const has = (id: number): boolean => this.waiting.includes(id);
    const quiche = {
      isReadable: () => this.waiting.length > 0,
      streamReadable: has,
      readable: () => {
        this.asked++;
        return [...this.waiting];
      },
      streamRecv: (id: number) => {
        if (!has(id)) return null;
        this.waiting = this.waiting.filter((each) => each !== id);
        return [1, true];
      },
    };
    const host: Partial<StreamHost> = {
      quiche: quiche as unknown as QuicheConnection,
      readBuffer: Buffer.alloc(8),
      countRead: () => undefined,
      forget: (stream) => this.streams.remove(stream),
    };
    this.streams = new StreamSet(host as StreamHost, isServer);
  }

  /** @returns which streams were opened by it. */
  turn(...ids: number[]): number[] {
    this.waiting.push(...ids);
    this.streams.deliver((stream) => {
      this.opened.push(stream.id);
      stream.bind({
        onReadable: () => void stream.read(),
        onDrained: () => undefined,
        onAborted: () => undefined,
      });
    });
    return this.opened.splice(0);
  }
}

describe('StreamSet', () => {
  it.each([
    [true, [0, 4, 2], [8, 6]],
    [false, [1, 5, 3], [9, 7]],
  ])('of a server: %p, finds what comes in order without asking for all', (isServer, one, two) => {
    const peer = new Peer(isServer);
    expect(peer.turn(...one)).toEqual(one);
    expect(peer.turn(...two)).toEqual(two);
    expect(peer.asked).toBe(0);
  });

  it('finds streams that overtook others, and then those', () => {
    const peer = new Peer(true);
    expect(peer.turn(8)).toEqual([8]);
    expect(peer.turn(4, 0)).toEqual([4, 0]);
    expect(peer.turn(12)).toEqual([12]);
    expect(peer.asked).toBe(2);
  });

  it('knows a stream by its whole number, far above 32 bits', () => {
    const peer = new Peer(true);
    const far = 4 * 2 ** 40 + 2;
    expect(peer.turn(far)).toEqual([far]);
    expect(peer.turn(far + 4)).toEqual([far + 4]);
    expect(peer.asked).toBe(1);
  });
});
