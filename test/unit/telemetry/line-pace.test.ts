import { expect, test } from '@jest/globals';
import { LinePace } from '../../../src/telemetry/line-pace.js';
import { FakeClock } from '../../support/fake-clock.js';

test('one line per reason in so long, which tells how many were left out', () => {
  const clock = new FakeClock();
  const pace = new LinePace(clock);
  expect([pace.take('a'), pace.take('a'), pace.take('b'), pace.take('a')]).toEqual([
    0,
    null,
    0,
    null,
  ]);
  clock.advance(9_999);
  expect(pace.take('a')).toBeNull();
  clock.advance(1);
  expect([pace.take('a'), pace.take('b'), pace.take('a')]).toEqual([3, 0, null]);
});
