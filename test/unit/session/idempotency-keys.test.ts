import { beforeEach, describe, expect, test } from '@jest/globals';
import { IdempotencyKeys } from '../../../src/session/idempotency-keys.js';
import { FakeClock } from '../../support/fake-clock.js';

const LIFETIME = 1_000;

let clock: FakeClock;
let keys: IdempotencyKeys;

/** Knows two keys at most. */
beforeEach(() => {
  clock = new FakeClock();
  keys = new IdempotencyKeys(clock, 2);
});

test('a key is known as long as it lives, and not a moment longer', () => {
  keys.remember('k', 'digest', LIFETIME);
  clock.advance(LIFETIME - 1);
  expect([keys.judge('k', 'digest'), keys.judge('k', 'other')]).toEqual(['repeat', 'conflict']);
  clock.advance(1);
  expect([keys.judge('k', 'other'), keys.size]).toEqual(['new', 0]);
});

test('the oldest key makes room for the one too many, and no other', () => {
  for (const key of ['a', 'b']) keys.remember(key, 'digest');
  expect(keys.judge('a', 'digest')).toBe('repeat');
  keys.remember('c', 'digest');
  expect(['a', 'b', 'c'].map((key) => keys.judge(key, 'digest'))).toEqual([
    'new',
    'repeat',
    'repeat',
  ]);
});

describe('a snapshot', () => {
  test('has the keys with the time that they have left, without those that have none', () => {
    keys.remember('a', 'digest of a', LIFETIME, 'plain');
    clock.advance(400);
    keys.remember('b', 'digest of b', LIFETIME);
    const now = clock.now();
    expect([...keys.snapshot(now)]).toEqual([
      { key: 'a', digest: 'digest of a', plainDigest: 'plain', ttl: 600 },
      { key: 'b', digest: 'digest of b', plainDigest: '', ttl: 1_000 },
    ]);
    expect([...keys.snapshot(now + 600)].map(({ key }) => key)).toEqual(['b']);
  });
});

test('what is cleared was never there', () => {
  keys.remember('k', 'digest');
  keys.clear();
  expect(keys.judge('k', 'other')).toBe('new');
});
