import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
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
    const who = { role: 'primary', boot: 7, peer: 'b' } as const;
    const state = { ...who, solo: true, seenEpoch: 4, failbacks: 1 };
    new RoleFile(path, 'a').save({ ...state, epoch: 4, position: 12 });
    const store = loggedRoleStore(path, 'a', { epoch: 3, position: 10 }, false, null);
    expect(store.load()).toEqual({ ...state, epoch: 3, position: 10 });
  });

  it.each([true, false])('is made again from the log where it was lost; resumes: %s', (resumes) => {
    const path = join(folder, 'role');
    const logged = { epoch: 5, position: 10 };
    expect(isRoleLost(path, logged)).toBe(true);
    const store = loggedRoleStore(path, 'b', logged, resumes, null);
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

  it('that was lost begins no epoch of the peer, whom the journal knows, and no lower boot id', () => {
    const path = join(folder, 'role');
    const journal = join(folder, 'journal');
    mkdirSync(journal);
    const logged = { epoch: 5, position: 10 };
    const who = { role: 'backup', boot: 7_000, peer: 'a' } as const;
    const state = { ...who, solo: false, seenEpoch: 5, failbacks: 0 };
    const known = loggedRoleStore(path, 'b', logged, true, journal);
    known.save({ ...state, ...logged, peer: '' });
    known.save({ ...state, ...logged });
    rmSync(path);
    const history = { position: () => 10, recovered: false };
    const options = { serverId: 'b', mode: 'primary', onPeerLoss: 'continue' } as const;
    const store = loggedRoleStore(path, 'b', logged, true, journal);
    // Set back since.
    const clock = new FakeClock(0, 0);
    const role = new StoredRole({ ...options, promoteStale: false }, store, history, clock);
    expect(role.state.boot).toBe(7_001);
    role.beginEpoch();
    // Odd ones belong to the smaller server_id.
    expect(role.state.epoch).toBe(6);
  });

  it('is written though its journal cannot be', () => {
    const path = join(folder, 'role');
    const who = { role: 'backup', boot: 7, peer: 'a' } as const;
    const state = { ...who, solo: false, seenEpoch: 5, failbacks: 0 };
    const logged = { epoch: 5, position: 10 };
    loggedRoleStore(path, 'b', logged, true, join(folder, 'gone')).save({ ...state, ...logged });
    expect(new RoleFile(path, 'b').load()).toMatchObject({ peer: 'a' });
  });

  it('was never there on a gateway that becomes one of a pair', () => {
    const path = join(folder, 'role');
    expect(isRoleLost(path, { epoch: 0, position: 10 })).toBe(false);
    expect(loggedRoleStore(path, 'b', null, true, null).load()).toBeNull();
  });
});
