import { beforeEach, expect, test } from '@jest/globals';
import { KeepAlive } from '../../../src/grpc/keepalive.js';
import { FakeClock } from '../../support/fake-clock.js';

let clock: FakeClock;
let peer: { busy: boolean; pings: number; silent: number; ping(): boolean; onSilent(): void };
let keepalive: KeepAlive;

beforeEach(() => {
  clock = new FakeClock();
  peer = {
    busy: true,
    pings: 0,
    silent: 0,
    ping: () => ++peer.pings > 0,
    onSilent: () => void peer.silent++,
  };
  keepalive = new KeepAlive(peer, clock, 60_000);
});

test.each([
  ['pings after silence, and gives up on a peer that does not answer', 60_000, undefined, 20_000],
  ['gives up as early as its owner says', 2_000, 3_000, 3_000],
])('%s', (_, intervalMs, pingTimeoutMs, givesUpMs) => {
  const watching = new KeepAlive(peer, clock, intervalMs, pingTimeoutMs);
  watching.sent();
  clock.advance(intervalMs - 1);
  expect(peer.pings).toBe(0);
  clock.advance(1);
  expect(peer.pings).toBe(1);
  clock.advance(givesUpMs - 1);
  expect(peer.silent).toBe(0);
  clock.advance(1);
  expect(peer.silent).toBe(1);
});

test('any byte is an answer, and starts the silence anew', () => {
  keepalive.sent();
  clock.advance(60_000);
  keepalive.received();
  clock.advance(59_000);
  expect([peer.pings, peer.silent]).toEqual([1, 0]);
  clock.advance(1_000);
  expect(peer.pings).toBe(2);
});

test('an idle connection is not pinged', () => {
  keepalive.sent();
  peer.busy = false;
  clock.advance(200_000);
  expect(peer.pings).toBe(0);
});

test('a call that expires without a byte since it was sent raises suspicion once', () => {
  clock.advance(1_000);
  const sentAt = clock.now();
  clock.advance(5_000);
  keepalive.expired(sentAt);
  keepalive.expired(sentAt);
  expect(peer.pings).toBe(1);
  clock.advance(20_000);
  expect(peer.silent).toBe(1);
});

/** A call that began now expires a second later. */
function expire(): void {
  const sentAt = clock.now();
  clock.advance(1_000);
  keepalive.expired(sentAt);
}

test('suspicion pings no more often than a Go server bears', () => {
  expire();
  // The answer to the ping comes, but no call is answered: pings stay rare.
  clock.advance(1);
  keepalive.received();
  for (let spent = 1_001; spent + 1_000 <= 60_000; spent += 1_000) expire();
  expect(peer.pings).toBe(1);
  clock.advance(1_000);
  expire();
  expect([peer.pings, peer.silent]).toEqual([2, 0]);
});

test('a peer that answered calls since the last ping is pinged again as soon as it falls silent', () => {
  expire();
  clock.advance(1);
  keepalive.received();
  keepalive.answered();
  expire();
  expire();
  expect(peer.pings).toBe(2);
});

test('a call that expires while others are answered raises none', () => {
  const sentAt = clock.now();
  clock.advance(1_000);
  keepalive.received();
  clock.advance(1_000);
  keepalive.expired(sentAt);
  expect(peer.pings).toBe(0);
});

test('after stop nothing happens', () => {
  keepalive.sent();
  clock.advance(60_000);
  keepalive.stop();
  keepalive.sent();
  clock.advance(500_000);
  expect([peer.pings, peer.silent]).toEqual([1, 0]);
});
