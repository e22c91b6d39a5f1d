import { mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { LogLock } from '../../../src/journal/log-lock.js';

/** What one has whose journal another process writes. */
const IN_USE = expect.objectContaining({ code: 'JOURNAL_IN_USE' }) as unknown as Error;

/** How connecting to a socket file ends: connected, or the error's code. */
function connecting(path: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = createConnection({ path }, () => {
      socket.destroy();
      resolve('connected');
    });
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''));
  });
}

const onLinux = process.platform === 'linux' ? describe : describe.skip;

onLinux('LogLock', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'gatesvr-lock-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test('is held by one at a time', async () => {
    const [first, second] = [new LogLock(folder), new LogLock(folder)];
    await first.acquire();
    await expect(second.acquire()).rejects.toEqual(IN_USE);
    expect(await connecting(join(folder, 'lock'))).toBe('connected');
    first.release();
    await second.acquire();
    second.release();
    expect(readdirSync(folder)).toEqual([]);
  });

  // Two containers that share a volume: the names of the abstract namespace are each one's own.
  test('is seen from another network namespace, by its file', async () => {
    const other = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => other.listen(join(folder, 'lock'), resolve));
    await expect(new LogLock(folder).acquire()).rejects.toEqual(IN_USE);
    expect(await connecting(join(folder, 'lock'))).toBe('connected');
    await new Promise((resolve) => other.close(resolve));
    const lock = new LogLock(folder);
    await lock.acquire();
    lock.release();
  });

  test('is free where a killed process left its file', async () => {
    const killed = createServer();
    await new Promise<void>((resolve) => killed.listen(join(folder, 'socket'), resolve));
    // Closing removes it under the name that was listened on.
    renameSync(join(folder, 'socket'), join(folder, 'lock'));
    await new Promise((resolve) => killed.close(resolve));
    expect(await connecting(join(folder, 'lock'))).toBe('ECONNREFUSED');
    const lock = new LogLock(folder);
    await lock.acquire();
    expect(await connecting(join(folder, 'lock'))).toBe('connected');
    lock.release();
  });

  test('works in a folder whose path is longer than that of a socket may be', async () => {
    const deep = join(folder, 'd'.repeat(200));
    const lock = new LogLock(deep);
    await lock.acquire();
    expect(readdirSync(deep)).toEqual(['lock']);
    lock.release();
  });
});
