import { randomBytes } from 'node:crypto';
import { chmodSync, closeSync, mkdirSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import type { Server } from 'node:net';
import { join } from 'node:path';
import { StartupError, messageOf } from '../base/errors.js';

/** In the folder of the log. */
const FILE = 'lock';

/**
 * Keeps two processes from writing to one log, by two listening sockets (unix(7)) that the kernel takes back however the
 * process ends. One has a name in Linux's abstract namespace, after the folder's inode, which no two processes can take
 * at once. But each network namespace has such names of its own, and containers may share a volume: the other socket
 * is a file in the folder. A file system that takes none goes without. On other systems there is no lock.
 */
export class LogLock {
  private readonly servers: Server[] = [];
  private isHolder = false;

  /** @param folder made if it is missing. */
  constructor(private readonly folder: string) {}

  /** @throws {StartupError} JOURNAL_IN_USE, JOURNAL_UNWRITABLE. */
  async acquire(): Promise<void> {
    const name = this.name();
    if (process.platform !== 'linux') return;
    try {
      await this.listen(name);
    } catch (error) {
      throw this.refusal(error as NodeJS.ErrnoException);
    }
    await this.acquireFile();
  }

  release(): void {
    if (this.isHolder) rmSync(join(this.folder, FILE), { force: true });
    this.isHolder = false;
    for (const server of this.servers.splice(0)) server.close();
  }

  private name(): string {
    try {
      mkdirSync(this.folder, { recursive: true, mode: 0o700 });
      const { dev, ino } = statSync(this.folder);
      return `\0gatesvr-journal-${dev}-${ino}`;
    } catch (error) {
      const advice = 'create it, or name another folder in journal.path';
      const message = `cannot use the journal folder ${this.folder}: ${messageOf(error)}; ${advice}`;
      throw new StartupError('JOURNAL_UNWRITABLE', message);
    }
  }

  private async acquireFile(): Promise<void> {
    const folder = this.openFolder();
    if (folder === null) return;
    // The path of a socket has 107 bytes at most, that of a folder more.
    const path = join('/proc/self/fd', String(folder), FILE);
    try {
      if (await isHeld(path)) throw this.refusal({ code: 'EADDRINUSE' });
      await this.takeFile(path);
    } catch (error) {
      this.release();
      throw error;
    } finally {
      closeSync(folder);
    }
  }

  /** Null where it must not be read: whoever reads the log says so. */
  private openFolder(): number | null {
    try {
      return openSync(this.folder, 'r');
    } catch {
      return null;
    }
  }

  /** Where the disk does not take it, whoever writes the log says what is wrong with that. */
  private async takeFile(path: string): Promise<void> {
    // What a process that was killed has left can be replaced, but not listened on.
    const fresh = `${path}.${randomBytes(4).toString('hex')}`;
    try {
      await this.listen(fresh);
      chmodSync(fresh, 0o600);
      renameSync(fresh, path);
      this.isHolder = true;
    } catch {
      rmSync(fresh, { force: true });
    }
  }

  private async listen(name: string): Promise<void> {
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(name, resolve);
    });
    server.unref();
    this.servers.push(server);
  }

  private refusal(error: Pick<NodeJS.ErrnoException, 'code'>): StartupError {
    const what = error.code === 'EADDRINUSE' ? 'is in use by another process' : messageOf(error);
    const advice = 'stop that one, or give each gateway a journal.path of its own';
    return new StartupError('JOURNAL_IN_USE', `the journal ${this.folder} ${what}; ${advice}`);
  }
}

/** Whether a process listens on the socket. One that is stopped does; its queue may be full (EAGAIN). */
function isHeld(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ path }, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'EAGAIN'));
  });
}
