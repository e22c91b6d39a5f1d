import { open, readFile, rename, unlink } from 'node:fs/promises';
import type { ResumeState, ResumeStore } from './core/resume-store.js';

/**
 * Keeps a client's session in a file of its own, mode 0600: who has it can take the session over if
 * the gateway asks for no token. Written beside it, to the disk, and then renamed, so that a process
 * or machine that dies at any time leaves the old state or the new one.
 */
export class FileResumeStore implements ResumeStore {
  /** @param path of the file; its folder must exist. */
  constructor(readonly path: string) {}

  /** @throws {Error} where the file is there and cannot be read, or is no JSON. */
  async load(): Promise<unknown> {
    try {
      return JSON.parse(await readFile(this.path, 'utf8')) as unknown;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    }
  }

  /** @throws {Error} where the file cannot be written; the old one is still whole then. */
  async save(state: ResumeState | null): Promise<void> {
    if (state === null) {
      await removed(this.path);
      return;
    }
    // Always the same: what a process left that died while it saved is written over, and does not pile up.
    const beside = `${this.path}.tmp`;
    try {
      const file = await open(beside, 'w', 0o600);
      try {
        await file.writeFile(`${JSON.stringify(state)}\n`);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(beside, this.path);
    } catch (error) {
      await removed(beside);
      throw error;
    }
  }
}

async function removed(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
