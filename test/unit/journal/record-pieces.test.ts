import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readPieces } from '../../../src/journal/record-pieces.js';

const FORMAT = { headerBytes: 3, recordHeadBytes: 5 };
const HEADER = Buffer.from('HEA');

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatesvr-pieces-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function record(bytes: number, claimed = bytes): Buffer {
  const found = Buffer.alloc(FORMAT.recordHeadBytes + bytes, bytes);
  found.writeUInt32BE(claimed, 0);
  return found;
}

/** Lengths of the pieces, which together are the file. */
async function lengthsOf(parts: Buffer[], pieceBytes: number): Promise<number[]> {
  const path = join(folder, 'file');
  const content = Buffer.concat(parts);
  writeFileSync(path, content);
  const pieces = await readPieces(path, FORMAT, pieceBytes);
  expect(Buffer.concat(pieces).equals(content)).toBe(true);
  return pieces.map(({ length }) => length);
}

test('pieces end where a record ends', async () => {
  const parts = [HEADER, record(5), record(5), record(0), record(10)];
  expect(await lengthsOf(parts, 1_000)).toEqual([43]);
  expect(await lengthsOf(parts, 25)).toEqual([23, 20]);
  expect(await lengthsOf(parts, 13)).toEqual([13, 10, 5, 15]);
});

test('a record longer than a piece is a piece of its own', async () => {
  expect(await lengthsOf([HEADER, record(3), record(95), record(3)], 16)).toEqual([11, 100, 8]);
  expect(await lengthsOf([HEADER, record(95)], 16)).toEqual([3, 100]);
});

test('what is no whole record is not waited for, and nothing is read for its length', async () => {
  expect(await lengthsOf([HEADER, record(3), record(2, 2 ** 32 - 1)], 16)).toEqual([11, 7]);
  expect(await lengthsOf([HEADER, record(30, 2 ** 32 - 1)], 16)).toEqual([3, 16, 16, 3]);
  expect(await lengthsOf([HEADER, record(3), HEADER], 12)).toEqual([11, 3]);
  expect(await lengthsOf([HEADER.subarray(1)], 12)).toEqual([2]);
  expect(await lengthsOf([], 12)).toEqual([]);
});
