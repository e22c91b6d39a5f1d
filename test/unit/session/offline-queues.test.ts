import { describe, expect, test } from '@jest/globals';
import { TimerWheel } from '../../../src/base/timer-wheel.js';
import { OfflineQueues } from '../../../src/session/offline-queues.js';
import { FRAME_COST_BYTES, OPENID_COST_BYTES } from '../../../src/session/push-cost.js';
import { Tally } from '../../../src/telemetry/tally.js';
import { FakeClock } from '../../support/fake-clock.js';

const TTL = 60_000;
const body = Buffer.from('b'.repeat(20));
const PUSH = FRAME_COST_BYTES + body.length;

function queues(offlineMaxBytes: number, outboxMaxBytes = 1_000_000) {
  const clock = new FakeClock();
  const limits = {
    offlineTtl: TTL,
    offlineMaxFrames: 1_000,
    offlineMaxBytes,
    outboxMaxBytes,
  };
  const expired = new Tally();
  const offline = new OfflineQueues(limits, clock, new TimerWheel(clock, 100), expired);
  return { clock, expired, offline };
}

/** How many openids, each with one push, find room. */
function fill(offline: OfflineQueues, name = 'u'): number {
  let count = 0;
  while (offline.add(`${name}${count}`, body)) count++;
  return count;
}

describe('all openids without a session together', () => {
  test('are bounded by what keeping their pushes costs, many for one', () => {
    const { offline } = queues(OPENID_COST_BYTES + 10 * PUSH);
    for (let index = 0; index < 10; index++) expect(offline.add('alice', body)).toBe(true);
    expect(offline.add('alice', body)).toBe(false);
    expect(offline.take('alice')).toHaveLength(10);
    expect(offline.add('alice', body)).toBe(true);
  });

  test('are bounded in number too, and give everything back', () => {
    const { clock, expired, offline } = queues(10 * (OPENID_COST_BYTES + PUSH));
    expect(fill(offline)).toBe(10);
    offline.take('u0');
    expect(fill(offline, 'v')).toBe(1);
    clock.advance(TTL + 1_000);
    expect([offline.size, expired.value]).toEqual([0, 10]);
    expect(fill(offline)).toBe(10);
    offline.clear();
    expect(fill(offline)).toBe(10);
  });

  test('get back what a former process had accepted, whatever the limits are now', () => {
    const { offline } = queues(1);
    for (let index = 0; index < 3; index++) offline.restore({ openid: 'alice', body, ttl: TTL });
    expect(offline.add('alice', body)).toBe(false);
    expect(offline.take('alice')).toHaveLength(3);
  });
});

describe('the pushes of one openid', () => {
  /** Room for two of them; the second came half a lifetime later. */
  function two() {
    const all = queues(1_000_000, 2.5 * body.length);
    // Between two ticks of the wheel.
    all.clock.advance(50);
    all.offline.add('alice', body);
    all.clock.advance(TTL / 2);
    all.offline.add('alice', body);
    expect(all.offline.add('alice', body)).toBe(false);
    return all;
  }

  test('run out one by one, each in its time, and leave their room', () => {
    const { clock, expired, offline } = two();
    clock.advance(TTL / 2 + 1_000);
    expect([expired.value, offline.add('alice', body), offline.add('alice', body)]).toEqual([
      1,
      true,
      false,
    ]);
    clock.advance(TTL / 2);
    expect([expired.value, offline.size]).toEqual([2, 1]);
    expect(offline.take('alice')).toHaveLength(1);
  });

  test('are not taken once they have run out, also where no timer has seen it yet', () => {
    const { clock, expired, offline } = two();
    clock.advance(TTL / 2);
    expect(offline.take('alice')).toHaveLength(1);
    expect([expired.value, offline.size]).toEqual([1, 0]);
    clock.advance(2 * TTL);
    expect(expired.value).toBe(1);
  });
});
