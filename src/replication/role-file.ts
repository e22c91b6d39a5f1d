import { readFileSync } from 'node:fs';
import { CodedError, StartupError, messageOf } from '../base/errors.js';
import { crc32c } from '../journal/crc32c.js';
import { replaceDurably } from '../journal/durable-file.js';

/** What a node of a pair must not forget, or two could serve (REPLICATION.md, "Roles and fencing"). */
export interface RoleState {
  readonly role: 'backup' | 'primary';
  /** It serves without a lease: no other node may promote. */
  readonly solo: boolean;
  /** Of the process that wrote it. */
  readonly boot: number;
  /** Epoch and position of the last journal entry that was known when it was written. */
  readonly epoch: number;
  readonly position: number;
  /**
   * Highest epoch that was ever begun here or heard of, whatever became of its journal: a power cut may
   * take an epoch's entries after clients were served in it, and then it must not begin again.
   */
  readonly seenEpoch: number;
  /** server_id of the peer, empty before it was ever met. */
  readonly peer: string;
  /** How often failback asked since this gateway last stayed primary. */
  readonly failbacks: number;
}

/** Keeps the RoleState over restarts. */
export interface RoleStore {
  /** Null on a node that never ran. */
  load(): RoleState | null;
  /**
   * Durable when it returns.
   * @throws {CodedError} ROLE_UNWRITABLE: nothing has changed. ROLE_UNSYNCED: a start may find either.
   */
  save(state: RoleState): void;
}

/** A RoleState in a small file of its own, replaced atomically and synced. */
export class RoleFile implements RoleStore {
  /** @param serverId of this gateway. */
  constructor(
    private readonly path: string,
    private readonly serverId: string,
  ) {}

  /** @throws {StartupError} ROLE_UNREADABLE, ROLE_DAMAGED or ROLE_FOREIGN: guessing a role could let two serve. */
  load(): RoleState | null {
    let text: string;
    try {
      text = readFileSync(this.path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      const reason = `cannot read ${this.path}: ${messageOf(error)}`;
      throw new StartupError('ROLE_UNREADABLE', reason);
    }
    const state = parse(text);
    const advice = 'or delete it while the peer serves, to join that one as new';
    if (state === null) {
      throw new StartupError('ROLE_DAMAGED', `${this.path} is damaged: restore it, ${advice}`);
    }
    if (this.isForeign(state)) {
      const reason = `${this.path} is that of the other gateway, for its peer is "${state.peer}"`;
      const remedy = `give each its own backup.role_file, ${advice}`;
      throw new StartupError('ROLE_FOREIGN', `${reason}: ${remedy}`);
    }
    return state;
  }

  /** A copy, as of a cloned machine: the epochs that it calls its own are those of the peer. */
  private isForeign({ peer }: RoleState): boolean {
    return peer !== '' && peer === this.serverId;
  }

  save(state: RoleState): void {
    try {
      replaceDurably(this.path, format(state));
    } catch (error) {
      const code = this.holds(format(state)) ? 'ROLE_UNSYNCED' : 'ROLE_UNWRITABLE';
      const reason = `cannot store the role in ${this.path}: ${messageOf(error)}`;
      throw new CodedError(code, reason, { cause: error });
    }
  }

  /** Whether that is what a start would read; also where nobody can tell. */
  private holds(text: string): boolean {
    try {
      return readFileSync(this.path, 'utf8') === text;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code !== 'ENOENT';
    }
  }
}

/** One line of JSON and, on a second one, the CRC-32C of the first in hexadecimal. */
function format(state: RoleState): string {
  const { role, solo, boot, epoch, position, seenEpoch, peer, failbacks } = state;
  const line = JSON.stringify({ role, solo, boot, epoch, position, seenEpoch, peer, failbacks });
  return `${line}\n${checksum(line)}\n`;
}

function checksum(line: string): string {
  return crc32c(Buffer.from(line)).toString(16).padStart(8, '0');
}

function parse(text: string): RoleState | null {
  const [line = '', sum] = text.split('\n');
  if (sum !== checksum(line)) return null;
  const stored = JSON.parse(line) as Partial<RoleState>;
  const { role, solo, boot, epoch, position, peer } = stored;
  // Older versions wrote none.
  const { seenEpoch = epoch, failbacks = 0 } = stored;
  const counts = [boot, epoch, position, seenEpoch, failbacks];
  if (!counts.every((count) => Number.isSafeInteger(count) && (count as number) >= 0)) return null;
  if ((role !== 'primary' && role !== 'backup') || typeof solo !== 'boolean') return null;
  if (typeof peer !== 'string') return null;
  return { role, solo, boot, epoch, position, seenEpoch, peer, failbacks } as RoleState;
}
