import { describe, expect, it } from '@jest/globals';
import type { RoleChange } from '../../../src/replication/role-options.js';
import { RoleTenure } from '../../../src/replication/role-tenure.js';
import { silentLogger } from '../../../src/telemetry/log.js';
import { FakeClock } from '../../support/fake-clock.js';
import { MemoryRoleStore, TICK, TIMEOUT } from '../../support/replication-pair.js';

const ignore = () => undefined;

/** The first promotion of a gateway that never was one of a pair, and holds a history of its own. */
function firstPromotion(position: number, recovered: boolean): RoleChange | undefined {
  const changes: RoleChange[] = [];
  const settings = { serverId: 'a', mode: 'primary', onPeerLoss: 'continue' } as const;
  const tenure = new RoleTenure(
    { ...settings, promoteStale: false, refuses: false, timeout: TIMEOUT, tickPeriod: TICK },
    new MemoryRoleStore(),
    { position: () => position, recovered },
    {
      onRole: (change) => void changes.push(change),
      onTakeOverAsked: ignore,
      onHandOverFailed: ignore,
      onAlone: ignore,
      onDeparted: ignore,
    },
    new FakeClock(),
    silentLogger(),
  );
  tenure.lead('the peer does not answer');
  return changes.at(-1);
}

describe('the first promotion of all', () => {
  it.each([
    ['of a new gateway jumps no number', 0, false, false],
    ['of one that was alone and knows all that it sent jumps none', 7, true, false],
    ['of one that was alone and may have sent more jumps', 7, false, true],
  ] as const)('%s', (_, position, recovered, jump) => {
    expect(firstPromotion(position, recovered)).toMatchObject({ epoch: 1, promoted: true, jump });
  });
});
