import { expect, test } from '@jest/globals';
import { retryAfter, retryAfterOf } from '../../../src/wire/retry-after.js';

test.each([
  [100, 'retry_after_ms=100', 100],
  [33.2, 'retry_after_ms=34', 34],
  [1e9, 'retry_after_ms=60000', 60_000],
])('a wait of %d ms is told as %s', (wait, detail, read) => {
  expect(retryAfter(wait)).toBe(detail);
  expect(retryAfterOf(detail)).toBe(read);
});

test.each([
  ['', 0],
  ['outbox full', 0],
  ['retry_after_ms=', 0],
  ['retry_after_ms=-5', 0],
  ['retry_after_ms=1e9', 0],
  ['retry_after_ms=999999999', 60_000],
  ['retry_after_ms=9999999999', 0],
])('of "%s" is read as %d', (detail, wait) => {
  expect(retryAfterOf(detail)).toBe(wait);
});
