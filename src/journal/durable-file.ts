import { closeSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';

/** For the gateway's user only: files hold what clients were sent, keys, and where requests go. */
export const FILE_MODE = 0o600;

/**
 * A text that a power cut leaves as it was or as it is now: on disk when this returns, with FILE_MODE.
 * @throws as node:fs.
 */
export function replaceDurably(path: string, text: string): void {
  const temporary = `${path}.new`;
  const file = openSync(temporary, 'w', FILE_MODE);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
  syncDirectoryNow(dirname(path));
}

/**
 * Brings the entries of a directory to the disk itself: a file that was made or renamed outlives a power cut
 * only after that. @throws as node:fs.
 */
export function syncDirectoryNow(path: string): void {
  const directory = openSync(path, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

/** The same without waiting in this turn. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
