import { describe, expect, it } from '@jest/globals';
import type { RoleChange } from '../../../src/replication/role-options.js';
import { RoleTenure } from '../../../src/replication/role-tenure.js';
import { silentLogger } from '../../../src/telemetry/log.js';
import { FakeClock } from '../../support/fake-clock.js';
import { MemoryRoleStore, Pair, TICK, TIMEOUT } from '../../support/replication-pair.js';

const ignore = () => undefined;

/** The first promotion of a gateway that never was one of a pair, and holds a history of its own. */
function firstPromotion(
  mode: 'primary' | 'backup',
  position: number,
  recovered: boolean,
): RoleChange | undefined {
  const changes: RoleChange[] = [];
  const settings = { serverId: 'a', mode, onPeerLoss: 'continue' } as const;
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
    const change = firstPromotion('primary', position, recovered);
    expect(change).toMatchObject({ epoch: 1, promoted: true, jump });
  });

  it('of one configured as the backup jumps: its primary, or what it forgot itself, may have served', () => {
    const change = firstPromotion('backup', 0, false);
    expect(change).toMatchObject({ epoch: 2, promoted: true, jump: true });
  });
});

describe('an offer to a backup whose disk cannot be written', () => {
  /** The primary has fallen silent and offers. */
  function offered(broken: 'ROLE_UNWRITABLE' | 'ROLE_UNSYNCED'): Pair {
    const pair = new Pair();
    pair.run(5 * TIMEOUT);
    pair.b.store.broken = broken;
    pair.a.machine.fallSilent();
    pair.a.machine.handOver.offer();
    return pair;
  }

  it('is declined: the primary serves on at once', () => {
    const pair = offered('ROLE_UNWRITABLE');
    pair.exchange(pair.a);
    expect([pair.a.serves, pair.b.machine.role, pair.b.machine.paired]).toEqual([
      true,
      'backup',
      true,
    ]);
    pair.b.store.broken = null;
    pair.a.machine.fallSilent();
    pair.a.machine.handOver.offer();
    pair.exchange(pair.a);
    expect([pair.a.serves, pair.b.serves]).toEqual([false, true]);
  });

  it('has no answer where a restart might find that it took over', () => {
    const pair = offered('ROLE_UNSYNCED');
    expect(() => pair.exchange(pair.a)).toThrow('disk full');
    expect([pair.a.serves, pair.b.serves]).toEqual([false, false]);
  });
});
