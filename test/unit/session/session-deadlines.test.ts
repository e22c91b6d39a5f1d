import { beforeEach, describe, expect, test } from '@jest/globals';
import { TimerWheel } from '../../../src/base/timer-wheel.js';
import type { Outbox, OutboxEntry } from '../../../src/session/outbox.js';
import type { SessionChannel } from '../../../src/session/session-channel.js';
import { SessionDeadlines } from '../../../src/session/session-deadlines.js';
import type { SessionEnvironment } from '../../../src/session/session-environment.js';
import { FakeClock } from '../../support/fake-clock.js';

const ACK_TIMEOUT = 1_000;
const LIMIT = 4 * ACK_TIMEOUT;
const LARGE = 1_000_000;

let clock: FakeClock;
let link: { bufferedBytes: number; partBytes: number };
let behind: number;
let dropped: number | null;

/** A connection that was just given a frame of LARGE bytes, of which its transport has taken none. */
beforeEach(() => {
  clock = new FakeClock();
  link = { bufferedBytes: LARGE, partBytes: 0 };
  behind = 0;
  dropped = null;
  const oldest = { seq: 7, frame: Buffer.alloc(LARGE), sentAt: clock.now() };
  const channel = { link, drop: (code: number) => (dropped = code) };
  const owner = {
    id: 's',
    lastFrameAt: Infinity,
    currentChannel: channel as unknown as SessionChannel,
    outbox: {
      oldestSent: () => oldest as unknown as OutboxEntry,
      sentBehindOldest: () => behind,
    } as unknown as Outbox,
  };
  const options = { ackTimeout: ACK_TIMEOUT, maxRetries: 3, sessionTimeout: 1_000_000 };
  const wheel = new TimerWheel(clock, 10);
  const environment = { clock, wheel, options, onExpired: () => undefined };
  new SessionDeadlines(owner, environment as unknown as SessionEnvironment).attached();
});

/** The transport takes so much, evenly over the time. */
function leave(bytes: number, ms: number): void {
  for (let step = 0; step < 10; step++) {
    link.bufferedBytes -= bytes / 10;
    clock.advance(ms / 10);
  }
}

describe('the time for an acknowledgement', () => {
  test('begins when a large frame has left over a slow path', () => {
    leave(LARGE, 3 * LIMIT);
    clock.advance(LIMIT / 2);
    expect(dropped).toBeNull();
    clock.advance(LIMIT);
    expect(dropped).toBe(408);
  });

  test('does not run out while the client sends a large frame over a slow path, behind which its words wait', () => {
    link.bufferedBytes = 0;
    for (let step = 0; step < 30; step++) {
      link.partBytes += 1_000;
      clock.advance(LIMIT / 10);
    }
    expect(dropped).toBeNull();
    clock.advance(2 * LIMIT + 100);
    expect(dropped).toBe(408);
  });

  test('runs out for a client that takes nothing in', () => {
    clock.advance(LIMIT + 100);
    expect(dropped).toBe(408);
  });

  test('runs out for a client that stops taking in, in the middle of a frame', () => {
    leave(LARGE / 2, LIMIT / 2);
    clock.advance(LIMIT + ACK_TIMEOUT + 100);
    expect(dropped).toBe(408);
  });

  test('runs out for a client that takes in what follows and acknowledges nothing', () => {
    behind = 5 * LARGE;
    link.bufferedBytes = behind;
    leave(behind, LIMIT + 100);
    expect(dropped).toBe(408);
  });
});
