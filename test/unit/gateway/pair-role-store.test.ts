import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loggedRoleStore } from '../../../src/gateway/pair-role-store.js';
import { RoleFile } from '../../../src/replication/role-file.js';

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
    const store = loggedRoleStore(path, { epoch: 3, position: 10 });
    expect(store.load()).toEqual({ ...state, epoch: 3, position: 10 });
  });
});
