import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isRoleLost, loggedRoleStore } from '../../../src/gateway/pair-role-store.js';
import { RoleFile } from '../../../src/replication/role-file.js';
import { StoredRole } from '../../../src/replication/stored-role.js';
import { FakeClock } from '../../support/fake-clock.js';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatesvr-role-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('the role file of a gateway with a log on disk', () => {
  it('has the history of the log, and the highest epoch of the file', () => {
    const path = join(folder, 'role');
    const state = { role: 'primary', solo: true, boot: 7, peer: 'b', seenEpoch: 4 } as const;
    new RoleFile(path).save({ ...state, epoch: 4, position: 12 });
    const store = loggedRoleStore(path, { epoch: 3, position: 10 }, false);
    expect(store.load()).toEqual({ ...state, epoch: 3, position: 10 });
  });

  it.each([true, false])('is made again from the log where it was lost; resumes: %s', (resumes) => {
    const path = join(folder, 'role');
    const logged = { epoch: 5, position: 10 };
    expect(isRoleLost(path, logged)).toBe(true);
    const store = loggedRoleStore(path, logged, resumes);
    const history = { position: () => 10, recovered: false };
    const options = { serverId: 'b', mode: 'primary', onPeerLoss: 'continue' } as const;
    const role = new StoredRole(
      { ...options, promoteStale: false },
      store,
      history,
      new FakeClock(),
    );
    expect(role.state).toMatchObject({ epoch: 5, position: 10 });
    expect([role.resumesAlone, role.ownsEpoch]).toEqual([resumes, false]);
    role.beginEpoch();
    expect(role.state.epoch).toBeGreaterThan(5);
    expect(isRoleLost(path, logged)).toBe(false);
  });

  it('was never there on a gateway that becomes one of a pair', () => {
    const path = join(folder, 'role');
    expect(isRoleLost(path, { epoch: 0, position: 10 })).toBe(false);
    expect(loggedRoleStore(path, null, true).load()).toBeNull();
  });
});
