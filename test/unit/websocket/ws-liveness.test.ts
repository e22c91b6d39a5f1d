import { beforeEach, describe, expect, it } from '@jest/globals';
import { TimerWheel } from '../../../src/base/timer-wheel.js';
import { Liveness } from '../../../src/websocket/ws-liveness.js';
import { FakeClock } from '../../support/fake-clock.js';

const TICK = 100;
let clock: FakeClock;
let peer: { bytesRead: number; readingHeld: boolean; pings: number; silent: number };
let liveness: Liveness;

beforeEach(() => {
  clock = new FakeClock();
  peer = { bytesRead: 0, readingHeld: false, pings: 0, silent: 0 };
  const pinged = {
    get bytesRead() {
      return peer.bytesRead;
    },
    get readingHeld() {
      return peer.readingHeld;
    },
    ping: () => void peer.pings++,
    onSilence: () => void peer.silent++,
  };
  const wheel = new TimerWheel(clock, TICK);
  liveness = new Liveness(wheel, pinged, { interval: 25_000, limit: 10_000 });
});

describe('Liveness', () => {
  it('pings every 25 s as long as something comes back', () => {
    for (let round = 1; round <= 10; round++) {
      clock.advance(25_000 + 3 * TICK);
      expect(peer.pings).toBe(round);
      peer.bytesRead += 6;
    }
    expect(peer.silent).toBe(0);
  });

  it('finds a peer silent 10 s after a ping, once', () => {
    peer.bytesRead = 500;
    clock.advance(25_000 + 2 * TICK);
    expect(peer.pings).toBe(1);
    clock.advance(9_500);
    expect(peer.silent).toBe(0);
    clock.advance(1_000);
    expect(peer.silent).toBe(1);
    clock.advance(100_000);
    expect([peer.pings, peer.silent]).toEqual([1, 1]);
    expect(clock.pending).toBe(0);
  });

  it('takes any byte for an answer', () => {
    clock.advance(25_000 + 2 * TICK);
    clock.advance(9_000);
    peer.bytesRead += 1;
    clock.advance(3_000);
    expect(peer.silent).toBe(0);
  });

  it('blames no peer whose bytes this side does not read', () => {
    peer.readingHeld = true;
    clock.advance(120_000);
    expect(peer.silent).toBe(0);
    expect(peer.pings).toBeGreaterThan(3);
    peer.readingHeld = false;
    clock.advance(40_000);
    expect(peer.silent).toBe(1);
  });

  it('does nothing once it is stopped', () => {
    clock.advance(25_000 + 2 * TICK);
    liveness.stop();
    clock.advance(100_000);
    expect([peer.pings, peer.silent]).toEqual([1, 0]);
  });
});
