import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CodedError, StartupError } from '../base/errors.js';
import { RoleFile } from '../replication/role-file.js';
import type { RoleState, RoleStore } from '../replication/role-file.js';

/** How far what this gateway kept on disk has come. */
export interface LoggedHistory {
  readonly epoch: number;
  readonly position: number;
}

/** In the folder of the journal: who the peer is, for a gateway whose role file is lost. */
const COPY_NAME = 'role';

/**
 * The role file of a gateway whose log on disk tells how far its history goes: a kill between the two
 * writes must not make this process claim a history that it does not hold. Where the file is lost the
 * epochs up to that of the log were begun all the same, and none of them is this gateway's to go on in.
 * @param serverId of this gateway.
 * @param logged null where there is no log.
 * @param resumes whether one that lost its file opens a new epoch where its peer does not answer.
 * @param journal folder of the log; null where it is not on disk.
 */
export function loggedRoleStore(
  path: string,
  serverId: string,
  logged: LoggedHistory | null,
  resumes: boolean,
  journal: string | null,
): RoleStore {
  const file = new RoleFile(path, serverId);
  const copy = journal === null ? null : new RoleCopy(join(journal, COPY_NAME), serverId);
  const end = logged && { epoch: logged.epoch, position: logged.position };
  return {
    load: (): RoleState | null => {
      const known = file.load();
      return end === null ? known : { ...(known ?? lostRole(end, resumes, copy)), ...end };
    },
    save: (state) => {
      file.save(state);
      copy?.keep(state);
    },
  };
}

/** What is left of a role whose file is lost. */
function lostRole(end: LoggedHistory, resumes: boolean, copy: RoleCopy | null): RoleState {
  const { boot, peer, seenEpoch } = copy?.load() ?? { boot: 0, peer: '', seenEpoch: 0 };
  const seen = Math.max(end.epoch, seenEpoch);
  return { ...end, role: 'backup', solo: resumes, boot, seenEpoch: seen, peer, failbacks: 0 };
}

/**
 * A copy of the role file, of which only what stays true counts: the server_id of the peer, which tells whose epochs
 * are whose, the boot id and the highest epoch seen. So it is written where one of the first two is new, and may fail.
 */
class RoleCopy {
  private readonly file: RoleFile;
  private kept = '';

  constructor(path: string, serverId: string) {
    this.file = new RoleFile(path, serverId);
  }

  load(): RoleState | null {
    try {
      return this.file.load();
    } catch (error) {
      if (error instanceof StartupError) return null;
      throw error;
    }
  }

  keep(state: RoleState): void {
    const who = `${state.boot} ${state.peer}`;
    if (who === this.kept) return;
    try {
      this.file.save(state);
      this.kept = who;
    } catch (error) {
      // No role may fail for it: a lost role file is then as it was without a copy.
      if (!(error instanceof CodedError)) throw error;
    }
  }
}

/**
 * Whether the role file is gone of a gateway that was one of a pair: then nobody knows whether the peer
 * took over after what is here.
 */
export function isRoleLost(path: string, { epoch }: LoggedHistory): boolean {
  return epoch > 0 && !existsSync(path);
}
