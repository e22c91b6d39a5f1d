import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import {
  replaceDurably,
  syncDirectory,
  syncDirectoryNow,
} from '../../../src/journal/durable-file.js';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatesvr-durable-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('a file is replaced as a whole, for its owner alone, and nothing is left beside it', () => {
  const path = join(folder, 'role');
  replaceDurably(path, 'a longer text');
  replaceDurably(path, 'short');
  expect(readFileSync(path, 'utf8')).toBe('short');
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder)).toEqual(['role']);
});

it('what cannot be brought to the disk is told', async () => {
  const gone = join(folder, 'gone');
  expect(() => replaceDurably(join(gone, 'role'), 'text')).toThrow('ENOENT');
  expect(() => syncDirectoryNow(gone)).toThrow('ENOENT');
  await expect(syncDirectory(gone)).rejects.toThrow('ENOENT');
  await expect(syncDirectory(folder)).resolves.toBeUndefined();
});
