import { expect, it, jest } from '@jest/globals';
import { SendErrors } from '../../../src/quic/send-errors.js';
import { silentLogger } from '../../../src/telemetry/log.js';
import { Tally } from '../../../src/telemetry/tally.js';
import { FakeClock } from '../../support/fake-clock.js';

it('counts every failure, and logs one line in 10 s that says how many there were', () => {
  const clock = new FakeClock();
  const tally = new Tally();
  const log = silentLogger();
  const warn = jest.spyOn(log, 'warn');
  const errors = new SendErrors(tally, clock, log);
  const error = new Error('EPERM');
  for (let count = 0; count < 5; count++) errors.note(error, 'it failed');
  clock.advance(10_000);
  errors.note(error, 'it failed');
  expect(tally.value).toBe(6);
  expect(warn.mock.calls).toEqual([
    [{ err: error, count: 1 }, 'it failed'],
    [{ err: error, count: 5 }, 'it failed'],
  ]);
});
