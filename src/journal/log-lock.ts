import { mkdirSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { StartupError, messageOf } from '../base/errors.js';

/**
 * Keeps two processes from writing to one log. It is a listening socket in Linux's abstract namespace
 * (unix(7)), named after the folder's inode: the kernel takes it back however the process ends. On
 * other systems there is no lock.
 */
export class LogLock {
  private server: Server | null = null;

  /** @param folder made if it is missing. */
  constructor(private readonly folder: string) {}

  /** @throws {StartupError} JOURNAL_IN_USE, JOURNAL_UNWRITABLE. */
  async acquire(): Promise<void> {
    const name = this.name();
    if (process.platform !== 'linux') return;
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) => reject(this.refusal(error)));
      server.listen(name, resolve);
    });
    server.unref();
    this.server = server;
  }

  release(): void {
    this.server?.close();
    this.server = null;
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

  private refusal(error: NodeJS.ErrnoException): StartupError {
    const what = error.code === 'EADDRINUSE' ? 'is in use by another process' : messageOf(error);
    const advice = 'stop that one, or give each gateway a journal.path of its own';
    return new StartupError('JOURNAL_IN_USE', `the journal ${this.folder} ${what}; ${advice}`);
  }
}
