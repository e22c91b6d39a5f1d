import { closeSync, openSync, readSync, rmSync } from 'node:fs';
import { open, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CodedError, StartupError, messageOf } from '../base/errors.js';
import { StateRecord, decodeMessage, encodeMessage } from '../wire/messages.js';
import { crc32c } from './crc32c.js';
import { FILE_MODE, syncDirectory, syncDirectoryNow } from './durable-file.js';
import { readPieces } from './record-pieces.js';

/** First bytes of the file: what it is and the version of its framing. */
const MAGIC = Buffer.from('GSSTATE1');

/** Before each record: its length and its CRC-32C, 4 bytes each, big-endian. */
const RECORD_HEAD_BYTES = 8;

const STATE_FILE = { headerBytes: MAGIC.length, recordHeadBytes: RECORD_HEAD_BYTES };

/** Written at once: large enough that a hundred thousand sessions do not cost as many system calls. */
const WRITE_BYTES = 1024 * 1024;

/** The file exists but is not a complete, undamaged state. */
export class DamagedStateError extends CodedError {
  constructor(path: string, what: string) {
    super('STATE_DAMAGED', `${path} is no complete state file: ${what}`);
  }
}

/**
 * Writes all records, an end mark behind them, to `path`: to a temporary file first, synced and then
 * renamed, so that a crash leaves either no file or a whole one. Mode 0600.
 * @throws {CodedError} STATE_UNWRITABLE, which names the file; no part of it stays on a disk that is full.
 */
export async function writeStateFile(path: string, records: Iterable<StateRecord>): Promise<void> {
  const temporary = `${path}.new`;
  try {
    await writeRecords(temporary, records);
    await rename(temporary, path);
    await syncDirectory(dirname(path));
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    const message = `cannot write state file ${path}, the next start lacks what it would have kept: ${messageOf(error)}`;
    throw new CodedError('STATE_UNWRITABLE', message, { cause: error });
  }
}

async function writeRecords(path: string, records: Iterable<StateRecord>): Promise<void> {
  const file = await open(path, 'w', FILE_MODE);
  try {
    let parts: Buffer[] = [MAGIC];
    let bytes = MAGIC.length;
    let count = 0;
    for (const record of records) {
      const framed = frameRecord(record);
      parts.push(framed);
      bytes += framed.length;
      count++;
      if (bytes >= WRITE_BYTES) {
        await file.appendFile(Buffer.concat(parts));
        parts = [];
        bytes = 0;
      }
    }
    parts.push(frameRecord(new StateRecord({ end: { records: count } })));
    await file.appendFile(Buffer.concat(parts));
    await file.sync();
  } finally {
    await file.close();
  }
}

/**
 * Reads all records of a state file.
 * @param pieceBytes read at once; default as `readPieces`.
 * @returns null when there is no file.
 * @throws {DamagedStateError} when it is not complete, or a checksum is wrong.
 * @throws {StartupError} when the system does not let us read it.
 */
export async function readStateFile(
  path: string,
  pieceBytes?: number,
): Promise<StateRecord[] | null> {
  let content: Buffer[];
  try {
    content = await readPieces(path, STATE_FILE, pieceBytes);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw unreadable(path, error);
  }
  return parseState(path, content);
}

/** Whether the system would let us read a state file, if there is one. @throws as readStateFile if not. */
export function checkStateFileReadable(path: string): void {
  try {
    const file = openSync(path, 'r');
    try {
      readSync(file, Buffer.alloc(1));
    } finally {
      closeSync(file);
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw unreadable(path, error);
  }
}

/** To begin without it would lose what it holds, as soon as the next stop writes it anew. */
function unreadable(path: string, cause: unknown): StartupError {
  const advice = 'let the user of the gateway read it, name another file, or say off';
  const message = `cannot read state file ${path}: ${messageOf(cause)}; ${advice}`;
  return new StartupError('STATE_UNREADABLE', message, { cause });
}

/** Takes the records out of a file's content, in pieces as `readPieces` gives them; `path` only names it in errors. */
export function parseState(path: string, pieces: readonly Buffer[]): StateRecord[] {
  if (pieces[0]?.subarray(0, MAGIC.length).equals(MAGIC) !== true) {
    throw new DamagedStateError(path, 'it does not begin like one');
  }
  const records: StateRecord[] = [];
  let before = 0;
  for (const [index, piece] of pieces.entries()) {
    let offset = index === 0 ? MAGIC.length : 0;
    while (offset < piece.length) {
      const { record, end } = parseRecord(path, piece, offset, before);
      offset = end;
      if (record.end === null || record.end === undefined) {
        records.push(record);
        continue;
      }
      const isLast = offset === piece.length && index === pieces.length - 1;
      if (isLast && record.end.records === records.length) return records;
      throw new DamagedStateError(path, 'its end is not where it should be');
    }
    before += piece.length;
  }
  throw new DamagedStateError(path, 'it has no end');
}

/** Sets a state aside under another name, or removes it once it was taken over. */
export async function retireStateFile(path: string, keepAs?: string): Promise<void> {
  if (keepAs === undefined) await unlink(path);
  else await rename(path, keepAs);
}

/** Removes it within this turn, if it is there; a power cut does not bring it back. @throws {Error} of the file system. */
export function removeStateFileNow(path: string): void {
  rmSync(path, { force: true });
  syncDirectoryNow(dirname(path));
}

function frameRecord(record: StateRecord): Buffer {
  const bytes = encodeMessage(StateRecord, record);
  const framed = Buffer.allocUnsafe(RECORD_HEAD_BYTES + bytes.length);
  framed.writeUInt32BE(bytes.length, 0);
  framed.writeUInt32BE(crc32c(bytes), 4);
  framed.set(bytes, RECORD_HEAD_BYTES);
  return framed;
}

/** @param before bytes of the file before `content`. */
function parseRecord(
  path: string,
  content: Buffer,
  start: number,
  before: number,
): { record: StateRecord; end: number } {
  if (start + RECORD_HEAD_BYTES > content.length)
    throw new DamagedStateError(path, 'it is cut off');
  const bodyStart = start + RECORD_HEAD_BYTES;
  const end = bodyStart + content.readUInt32BE(start);
  if (end > content.length) throw new DamagedStateError(path, 'it is cut off');
  const bytes = content.subarray(bodyStart, end);
  if (crc32c(bytes) !== content.readUInt32BE(start + 4)) {
    throw new DamagedStateError(path, `the record at byte ${before + start} has a wrong checksum`);
  }
  try {
    return { record: decodeMessage(StateRecord, bytes), end };
  } catch {
    throw new DamagedStateError(path, `the record at byte ${before + start} cannot be read`);
  }
}
