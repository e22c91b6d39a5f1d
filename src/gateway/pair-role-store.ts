import { RoleFile } from '../replication/role-file.js';
import type { RoleState, RoleStore } from '../replication/role-file.js';

/** How far the log on disk has come. */
export interface LoggedHistory {
  readonly epoch: number;
  readonly position: number;
}

/**
 * The role file of a gateway whose log on disk tells how far its history goes: a kill between the two
 * writes must not make this process claim a history that it does not hold.
 * @param logged null where there is no log.
 */
export function loggedRoleStore(path: string, logged: LoggedHistory | null): RoleStore {
  const file = new RoleFile(path);
  if (logged === null) return file;
  const { epoch, position } = logged;
  return {
    load: (): RoleState | null => {
      const state = file.load();
      return state === null ? null : { ...state, epoch, position };
    },
    save: (state) => file.save(state),
  };
}
