import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { quicKeys } from '../../../src/gateway/quic-keys.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatesvr-keys-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('a key file is made once, for its owner alone', () => {
  const path = join(folder, 'keys');
  const keys = quicKeys(null, path);
  expect(quicKeys(null, path)).toEqual(keys);
  expect([readdirSync(folder), statSync(path).mode & 0o777]).toEqual([['keys'], 0o600]);
});

test('one that could not be written whole is not there: the next start makes it', () => {
  const path = join(folder, 'keys');
  // It is written here first, and renamed when it is whole.
  mkdirSync(`${path}.new`);
  expect(() => quicKeys(null, path)).toThrow(/^cannot write quic\.retry_key_file: .*EISDIR/);
  expect(existsSync(path)).toBe(false);
  rmSync(`${path}.new`, { recursive: true });
  expect(quicKeys(null, path)).toBeDefined();
});
