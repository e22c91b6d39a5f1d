import { describe, expect, test } from '@jest/globals';
import { addressKey } from '../../../../src/session/overload/address-key.js';
import {
  AddressLimits,
  MAX_QUIET_ADDRESSES,
} from '../../../../src/session/overload/address-limits.js';
import { LoadWarning } from '../../../../src/session/overload/load-warning.js';
import { SlidingWindow } from '../../../../src/session/overload/sliding-window.js';
import {
  MAX_SPENT_ALLOWANCES,
  SpentAllowances,
} from '../../../../src/session/overload/spent-allowances.js';
import { BucketLimit, TokenBucket } from '../../../../src/base/token-bucket.js';
import { createLogger } from '../../../../src/telemetry/log.js';

describe('SlidingWindow', () => {
  test('counts up to its limit, and again as the old ones leave', () => {
    const window = new SlidingWindow(1_000);
    let admitted = 0;
    for (let at = 5_000; at < 5_100; at++) if (window.tryAdd(at, 60)) admitted++;
    expect(admitted).toBe(60);
    expect(window.tryAdd(5_999, 60)).toBe(false);
    expect(window.tryAdd(6_100, 60)).toBe(true);
  });

  test('never admits more than the limit within any window, and little less', () => {
    const window = new SlidingWindow(1_000);
    const admitted: number[] = [];
    // Bursts and pauses of uneven length, at four times the limit on average.
    for (let at = 0, step = 0; at < 20_000; at += 0.25 * (1 + (step++ % 7))) {
      if (window.tryAdd(at, 300)) admitted.push(at);
    }
    for (let first = 0, last = 0; last < admitted.length; last++) {
      while ((admitted[first] as number) <= (admitted[last] as number) - 1_000) first++;
      expect(last - first + 1).toBeLessThanOrEqual(300);
    }
    expect(admitted.length).toBeGreaterThan(20 * 300 * 0.95);
  });

  test('refused ones do not count, so that a flood keeps out only the excess', () => {
    const window = new SlidingWindow(1_000);
    let admitted = 0;
    for (let at = 0; at < 10_000; at++) if (window.tryAdd(at, 100)) admitted++;
    expect(admitted).toBeGreaterThan(900);
  });

  test('tells the rate, and forgets it after a pause of any length', () => {
    const window = new SlidingWindow(10_000);
    for (let at = 0; at < 20_000; at += 10) window.tryAdd(at, Infinity);
    expect(window.rate(20_000)).toBeCloseTo(100, 0);
    expect(window.rate(25_000)).toBeCloseTo(50, 0);
    expect(window.rate(1e9)).toBe(0);
    window.tryAdd(1e9, 1);
    expect(window.rate(1e9)).toBeGreaterThan(0);
  });
});

test.each([
  ['192.0.2.7:5000', '192.0.2.7'],
  ['[::ffff:192.0.2.7]:5000', '192.0.2.7'],
  ['[::FFFF:192.0.2.7]:5000', '192.0.2.7'],
  ['[2001:db8:1:2:3:4:5:6]:5000', '2001:db8:1:2::/64'],
  ['[2001:db8:1:2::9]:1', '2001:db8:1:2::/64'],
  ['[2001:0DB8:0001:0002::]:1', '2001:db8:1:2::/64'],
  ['[2001:db8::5]:1', '2001:db8:0:0::/64'],
  ['[::1]:1', '0:0:0:0::/64'],
  ['[::]:1', '0:0:0:0::/64'],
  ['[1::192.0.2.7]:1', '1:0:0:0::/64'],
  ['[fe80::1%eth0]:1', 'fe80:0:0:0::/64'],
  ['memory:1', 'memory'],
  ['nonsense', 'nonsense'],
])('the key of %s is %s', (address, key) => {
  expect(addressKey(address)).toBe(key);
});

describe('AddressLimits', () => {
  test('limits the open connections of one address, not of another', () => {
    const limits = new AddressLimits({ addressConnections: 2, addressConnectionRate: 0 });
    expect([limits.enter('a', 0), limits.enter('a', 0)]).toEqual([null, null]);
    expect(limits.enter('a', 0)).toMatchObject({ limit: 'address_connections' });
    expect(limits.enter('b', 0)).toBeNull();
    limits.leave('a');
    expect(limits.enter('a', 0)).toBeNull();
  });

  test('limits new connections per second, over connections that come and go', () => {
    const limits = new AddressLimits({ addressConnections: 0, addressConnectionRate: 5 });
    for (let index = 0; index < 5; index++) {
      expect(limits.enter('a', 0)).toBeNull();
      limits.leave('a');
    }
    expect(limits.enter('a', 0)).toEqual({ limit: 'address_rate', retryAfter: 200 });
    expect(limits.enter('b', 0)).toBeNull();
    expect(limits.enter('a', 200)).toBeNull();
  });

  test('a refused connection is not counted', () => {
    const limits = new AddressLimits({ addressConnections: 1, addressConnectionRate: 2 });
    limits.enter('a', 0);
    for (let index = 0; index < 9; index++) limits.enter('a', 0);
    limits.leave('a');
    expect(limits.enter('a', 0)).toBeNull();
    expect(limits.enter('a', 0)).toMatchObject({ limit: 'address_connections' });
  });

  test('keep no address that is not needed', () => {
    const limits = new AddressLimits({ addressConnections: 1, addressConnectionRate: 0 });
    limits.enter('a', 0);
    limits.leave('a');
    expect(limits.size).toBe(0);
    limits.leave('a');
    const rated = new AddressLimits({ addressConnections: 0, addressConnectionRate: 1 });
    for (let index = 0; index < 100; index++) {
      rated.enter(`${index}`, index * 500);
      rated.leave(`${index}`);
    }
    expect(rated.size).toBeLessThan(5);
  });

  test('are bounded against a flood of addresses', () => {
    const limits = new AddressLimits({ addressConnections: 0, addressConnectionRate: 1 });
    for (let index = 0; index < MAX_QUIET_ADDRESSES + 100; index++) {
      limits.enter(`${index}`, 0);
      limits.leave(`${index}`);
    }
    expect(limits.size).toBe(MAX_QUIET_ADDRESSES);
  });
});

describe('SpentAllowances', () => {
  const perSecond = new BucketLimit(1, 2);
  const spentAt = (now: number): TokenBucket => {
    const bucket = new TokenBucket(perSecond);
    bucket.take(now);
    return bucket;
  };

  test('give an openid back what it had left, once', () => {
    const spent = new SpentAllowances();
    const bucket = spentAt(0);
    spent.keep('a', bucket, 0);
    expect(spent.take('b')).toBeNull();
    expect(spent.take('a')).toBe(bucket);
    expect(spent.take('a')).toBeNull();
  });

  test('forget those that are as good as new', () => {
    const spent = new SpentAllowances();
    spent.keep('unused', new TokenBucket(perSecond), 0);
    expect(spent.size).toBe(0);
    for (let index = 0; index < 100; index++) {
      const now = index * 500;
      spent.keep(`${index}`, spentAt(now), now);
    }
    expect(spent.size).toBeLessThan(5);
  });

  test('are bounded against a flood of openids, whose first goes first', () => {
    const spent = new SpentAllowances();
    for (let index = 0; index < MAX_SPENT_ALLOWANCES; index++)
      spent.keep(`${index}`, spentAt(0), 0);
    spent.keep('0', spentAt(0), 0);
    spent.keep('last', spentAt(0), 0);
    expect(spent.size).toBe(MAX_SPENT_ALLOWANCES);
    expect(spent.take('1')).toBeNull();
    expect([spent.take('0'), spent.take('2')]).not.toContain(null);
  });
});

test('LoadWarning says so once per crossing, and is over only clearly below', () => {
  const lines: [number, number][] = [];
  const log = createLogger(
    { level: 'info', format: 'json' },
    {
      write: (line) => {
        const { level, value } = JSON.parse(line) as { level: number; value: number };
        lines.push([level, value]);
      },
    },
  );
  const warning = new LoadWarning('connections', 100, log);
  for (const value of [99, 100, 101, 99, 100, 91, 90]) warning.observe(value);
  expect(lines).toEqual([[40, 100]]);
  expect(warning.line).toBe('connections: at or above the warning threshold 100');
  for (const value of [89, 95, 99, 100]) warning.observe(value);
  expect(lines.slice(1)).toEqual([
    [30, 89],
    [40, 100],
  ]);
  const never = [0, Infinity].map((threshold) => new LoadWarning('x', threshold, log));
  for (const one of never) one.observe(1e12);
  expect(never.map(({ line }) => line)).toEqual([null, null]);
});
