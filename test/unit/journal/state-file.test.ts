import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32c } from '../../../src/journal/crc32c.js';
import {
  DamagedStateError,
  parseState,
  readStateFile,
  retireStateFile,
  writeStateFile,
} from '../../../src/journal/state-file.js';
import { StateRecord } from '../../../src/wire/messages.js';

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatesvr-state-'));
  path = join(folder, 'state');
});
afterEach(() => rmSync(folder, { recursive: true }));

const header = (numberFloor: number): StateRecord =>
  new StateRecord({ header: { version: 1, numberFloor } });
const push = (openid: string, bytes: number): StateRecord =>
  new StateRecord({ offlinePush: { openid, body: Buffer.alloc(bytes, 1), ttl: 5 } });

/** A record put together by hand: length, CRC-32C, bytes. */
function framed(hex: string): Buffer {
  const body = Buffer.from(hex, 'hex');
  const head = Buffer.alloc(8);
  head.writeUInt32BE(body.length, 0);
  head.writeUInt32BE(crc32c(body), 4);
  return Buffer.concat([head, body]);
}

const magic = Buffer.from('GSSTATE1');
const emptyEnd = framed('2a00');

describe('writeStateFile and readStateFile', () => {
  it('give back the records in order', async () => {
    await writeStateFile(path, [header(7), push('alice', 3), push('bob', 0)]);
    const records = await readStateFile(path);
    expect(records?.map((record) => record.record)).toEqual([
      'header',
      'offlinePush',
      'offlinePush',
    ]);
    expect(records?.[0]?.header?.numberFloor).toBe(7);
    expect(records?.[1]?.offlinePush?.openid).toBe('alice');
    expect(Buffer.from(records?.[1]?.offlinePush?.body ?? [])).toEqual(Buffer.alloc(3, 1));
    expect(records?.[2]?.offlinePush?.ttl).toBe(5);
  });

  it('keep a state of no records apart from no state', async () => {
    expect(await readStateFile(path)).toBeNull();
    await writeStateFile(path, []);
    expect(await readStateFile(path)).toEqual([]);
  });

  it('write more than one buffer full, from an iterable that is made as it goes', async () => {
    function* many(): Iterable<StateRecord> {
      for (let index = 0; index < 5; index++) yield push(`openid-${index}`, 600_000);
    }
    await writeStateFile(path, many());
    const openids = (await readStateFile(path))?.map((record) => record.offlinePush?.openid);
    expect(openids).toEqual(['openid-0', 'openid-1', 'openid-2', 'openid-3', 'openid-4']);
  });

  it('are read in pieces, for a file may be larger than what Node reads of one', async () => {
    await writeStateFile(path, [header(1), push('alice', 1000), push('bob', 10)]);
    for (const pieceBytes of [8, 100, 1_020]) {
      expect(await readStateFile(path, pieceBytes)).toEqual(await readStateFile(path));
    }
    writeFileSync(path, Buffer.concat([readFileSync(path), Buffer.from('more')]));
    await expect(readStateFile(path, 100)).rejects.toThrow('its end is not where it should be');
  });

  it('leave a file that only its owner can read, and no other', async () => {
    await writeStateFile(path, [header(1)]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(['state']);
  });

  it('replace a former state whole', async () => {
    await writeStateFile(path, [header(1), push('alice', 1000)]);
    await writeStateFile(path, [header(2)]);
    expect((await readStateFile(path))?.map((record) => record.header?.numberFloor)).toEqual([2]);
  });

  it('leave the former state as it was when the new one cannot be finished', async () => {
    await writeStateFile(path, [header(1)]);
    function* broken(): Iterable<StateRecord> {
      yield push('alice', 2_000_000);
      throw new Error('no more');
    }
    await expect(writeStateFile(path, broken())).rejects.toThrow('no more');
    // A part of it would take the room that a full disk lacks.
    expect(readdirSync(folder)).toEqual(['state']);
    expect((await readStateFile(path))?.[0]?.header?.numberFloor).toBe(1);
  });

  it('fail plainly where the folder is missing', async () => {
    await expect(writeStateFile(join(folder, 'none', 'state'), [])).rejects.toThrow('ENOENT');
  });
});

describe('parseState', () => {
  it('reads a state put together by hand', () => {
    expect(parseState('f', [Buffer.concat([magic, emptyEnd])])).toEqual([]);
    const one = Buffer.concat([magic, framed('0a020801'), framed('2a020801')]);
    expect(parseState('f', [one])[0]?.header?.version).toBe(1);
  });

  it.each([
    ['nothing', Buffer.alloc(0), 'begin'],
    ['another format', Buffer.from('GSSTATE2'), 'begin'],
    ['only the beginning', magic, 'no end'],
    ['records without an end', Buffer.concat([magic, framed('0a020801')]), 'no end'],
    ['an end that counts too few', Buffer.concat([magic, framed('0a00'), emptyEnd]), 'end'],
    ['an end that counts too many', Buffer.concat([magic, framed('2a020801')]), 'end'],
    ['bytes behind the end', Buffer.concat([magic, emptyEnd, Buffer.alloc(1)]), 'end'],
    ['two ends', Buffer.concat([magic, emptyEnd, emptyEnd]), 'end'],
    ['half a record head', Buffer.concat([magic, emptyEnd.subarray(0, 5)]), 'cut off'],
    ['half a record', Buffer.concat([magic, emptyEnd.subarray(0, 9)]), 'cut off'],
    [
      'bytes that are no record, well summed',
      Buffer.concat([magic, framed('0aff')]),
      'cannot be read',
    ],
    ['zeroes, as a file system may leave', Buffer.concat([magic, Buffer.alloc(4096)]), 'no end'],
  ])('refuses %s and names the file', (_what, content, reason) => {
    const parse = (): unknown => parseState('/var/lib/state', [content]);
    expect(parse).toThrow(DamagedStateError);
    expect(parse).toThrow('/var/lib/state');
    expect(parse).toThrow(reason);
  });

  it('reports damage with the code STATE_DAMAGED', async () => {
    writeFileSync(path, 'GSSTATE1');
    await expect(readStateFile(path)).rejects.toMatchObject({ code: 'STATE_DAMAGED' });
  });
});

describe('retireStateFile', () => {
  it('removes the state, or keeps it under another name', async () => {
    await writeStateFile(path, []);
    const content = readFileSync(path);
    await retireStateFile(path, `${path}.damaged`);
    expect(readdirSync(folder)).toEqual(['state.damaged']);
    expect(readFileSync(`${path}.damaged`)).toEqual(content);
    await retireStateFile(`${path}.damaged`);
    expect(readdirSync(folder)).toEqual([]);
  });
});
