import { describe, expect, it } from '@jest/globals';
import { TimerWheel } from '../../../src/base/timer-wheel.js';
import { DEFAULT_KEEPALIVE } from '../../../src/quic/connection-host.js';
import type { ConnectionHost, KeepalivePolicy } from '../../../src/quic/connection-host.js';
import { ConnectionTimer } from '../../../src/quic/connection-timer.js';
import { DEFAULT_LIMITS } from '../../../src/quic/limits.js';
import type { QuicheConnection } from '../../../src/quic/quiche.js';
import { FakeClock } from '../../support/fake-clock.js';

/** What is asked of quiche, which has no timer of its own here. */
const quiche = { timeout: () => null, onTimeout: () => undefined } as unknown as QuicheConnection;

/** After how much silence a PING is due, ms; null where none is within an hour. */
function firstPing(
  ours: number,
  theirs: number,
  keepalive: KeepalivePolicy | null = DEFAULT_KEEPALIVE,
): number | null {
  const clock = new FakeClock();
  const limits = { ...DEFAULT_LIMITS, idleTimeout: ours };
  const host = { clock, wheel: new TimerWheel(clock, 5), limits, keepalive };
  let pingAt: number | null = null;
  const timer = new ConnectionTimer(host as unknown as ConnectionHost, quiche, () => {
    if (timer.expire() === 'keepalive') pingAt ??= clock.now();
    else timer.rearm();
  });
  const begin = clock.now();
  timer.established(theirs);
  timer.rearm();
  clock.advance(3_600_000);
  return pingAt === null ? null : pingAt - begin;
}

describe('keepalive', () => {
  it.each([
    ['ours is short and theirs is long', 31_000, 90_000, 20_000],
    ['theirs is shorter than what we would wait', 60_000, 15_000, 10_000],
    ['a deployed client has 30 s', 60_000, 30_000, 20_000],
    ['they announce none', 59_000, 0, 20_000],
    ['we have none', 0, 40_000, 20_000],
  ])('comes in time where %s', (_what, ours, theirs, silence) => {
    const ping = firstPing(ours, theirs);
    expect(ping).toBeGreaterThanOrEqual(silence);
    expect(ping).toBeLessThanOrEqual(silence + 15);
  });

  it('is left out where the idle timeout is long, or it is off', () => {
    expect(firstPing(90_000, 90_000)).toBeNull();
    expect(firstPing(60_000, 60_000)).toBeNull();
    expect(firstPing(60_000, 0)).toBeNull();
    expect(firstPing(0, 0)).toBeNull();
    expect(firstPing(60_000, 30_000, null)).toBeNull();
  });
});
