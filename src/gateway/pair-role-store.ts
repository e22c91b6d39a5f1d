import { existsSync } from 'node:fs';
import { RoleFile } from '../replication/role-file.js';
import type { RoleState, RoleStore } from '../replication/role-file.js';

/** How far what this gateway kept on disk has come. */
export interface LoggedHistory {
  readonly epoch: number;
  readonly position: number;
}

/**
 * The role file of a gateway whose log on disk tells how far its history goes: a kill between the two
 * writes must not make this process claim a history that it does not hold. Where the file is lost the
 * epochs up to that of the log were begun all the same, and none of them is this gateway's to go on in.
 * @param logged null where there is no log.
 * @param resumes whether one that lost its file opens a new epoch where its peer does not answer.
 */
export function loggedRoleStore(
  path: string,
  logged: LoggedHistory | null,
  resumes: boolean,
): RoleStore {
  const file = new RoleFile(path);
  if (logged === null) return file;
  const { epoch, position } = logged;
  const lost = { role: 'backup', solo: resumes, boot: 0, seenEpoch: epoch, peer: '' } as const;
  return {
    load: (): RoleState => ({ ...(file.load() ?? lost), epoch, position }),
    save: (state) => file.save(state),
  };
}

/**
 * Whether the role file is gone of a gateway that was one of a pair: then nobody knows whether the peer
 * took over after what is here.
 */
export function isRoleLost(path: string, { epoch }: LoggedHistory): boolean {
  return epoch > 0 && !existsSync(path);
}
