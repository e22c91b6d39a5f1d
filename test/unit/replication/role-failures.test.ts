import { expect, it } from '@jest/globals';
import { RoleFailures } from '../../../src/replication/role-failures.js';
import type { Logger } from '../../../src/telemetry/log.js';
import { FakeClock } from '../../support/fake-clock.js';

it('a failure is told of once a minute, another one at once', () => {
  const clock = new FakeClock();
  const told: string[] = [];
  const error = ({ reason }: { reason: string }) => void told.push(reason);
  const failures = new RoleFailures(clock, { error } as unknown as Logger);
  for (let tick = 0; tick < 10; tick++) failures.tell(new Error('disk full'));
  failures.tell(new Error('read-only'));
  expect(told).toEqual(['disk full', 'read-only']);
  clock.advance(60_000);
  failures.tell(new Error('read-only'));
  expect(told).toHaveLength(3);
});
