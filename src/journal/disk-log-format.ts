import { StateRecord, decodeMessage } from '../wire/messages.js';
import { crc32c } from './crc32c.js';
import type { JournalBatch } from './journal.js';

/**
 * A segment of the log on disk: a header of 64 bytes, then records. All numbers are big-endian.
 *
 * Header: what it is (8 bytes), whether everything was written that should be here (1), whether it
 * begins on its own (1), 2 bytes of zeros, CRC-32C of the rest of the header (4), position of the
 * journal at its beginning (8), boot id of the machine (40, padded with zeros).
 *
 * Record: length of its content (4), CRC-32C of kind and content (4), kind (1), content.
 */
const MAGIC = Buffer.from('GSJRNL01');
export const HEADER_BYTES = 64;
const STATUS_AT = 8;
const STANDALONE_AT = 9;
const CRC_AT = 12;
const POSITION_AT = 16;
const BOOT_AT = 24;
export const RECORD_HEAD_BYTES = 9;
/** Of a batch: position of the first entry (8), number of entries (4). */
const BATCH_HEAD_BYTES = 12;

/** Overwritten in place when something could not be written: nothing else may fit on a full disk. */
const STATUS_WHOLE = 1;
export const STATUS_HOLES = 2;
export const STATUS_OFFSET = STATUS_AT;

const Kind = { Batch: 1, State: 2, SnapshotEnd: 3, CleanEnd: 4 } as const;

export interface SegmentHeader {
  /** Whether nothing that should be in it is missing. */
  readonly whole: boolean;
  /** It does not go on from the segment before it, and is worth nothing until its snapshot is complete. */
  readonly standalone: boolean;
  readonly position: number;
  /** Of the machine when it was written; empty where that is not known. */
  readonly bootId: string;
}

export type LogRecord =
  | { readonly kind: 'batch'; readonly batch: JournalBatch }
  | { readonly kind: 'state'; readonly record: StateRecord }
  /** A whole snapshot is in this segment: the ones before it are not needed. */
  | { readonly kind: 'snapshot_end' }
  /** The last process ended gracefully; nothing follows. */
  | { readonly kind: 'clean_end' };

/** How a segment's content ends: where it should, inside the record of its last write, or with one that is no record. */
export type SegmentEnd = 'clean' | 'torn' | 'damaged';

export function encodeHeader({ whole, standalone, position, bootId }: SegmentHeader): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  MAGIC.copy(header);
  header[STATUS_AT] = whole ? STATUS_WHOLE : STATUS_HOLES;
  header[STANDALONE_AT] = standalone ? 1 : 0;
  header.writeBigUInt64BE(BigInt(position), POSITION_AT);
  header.write(bootId, BOOT_AT, 'latin1');
  header.writeUInt32BE(crc32c(header.subarray(POSITION_AT)), CRC_AT);
  return header;
}

/** The header of a segment, or null where the content does not begin with one. */
export function parseHeader(content: Buffer): SegmentHeader | null {
  if (content.length < HEADER_BYTES) return null;
  if (!content.subarray(0, MAGIC.length).equals(MAGIC)) return null;
  const checked = content.subarray(POSITION_AT, HEADER_BYTES);
  if (crc32c(checked) !== content.readUInt32BE(CRC_AT)) return null;
  return {
    whole: content[STATUS_AT] === STATUS_WHOLE,
    standalone: content[STANDALONE_AT] !== 0,
    position: Number(content.readBigUInt64BE(POSITION_AT)),
    bootId: content.toString('latin1', BOOT_AT, HEADER_BYTES).replace(/\0+$/, ''),
  };
}

/** A batch as a record: its head, and the entries as they are. */
export function batchRecord({ first, count, bytes }: JournalBatch): [Buffer, Uint8Array] {
  const head = Buffer.allocUnsafe(RECORD_HEAD_BYTES + BATCH_HEAD_BYTES);
  head.writeUInt32BE(BATCH_HEAD_BYTES + bytes.length, 0);
  head[RECORD_HEAD_BYTES - 1] = Kind.Batch;
  head.writeBigUInt64BE(BigInt(first), RECORD_HEAD_BYTES);
  head.writeUInt32BE(count, RECORD_HEAD_BYTES + 8);
  head.writeUInt32BE(crc32c(bytes, crc32c(head.subarray(RECORD_HEAD_BYTES - 1))), 4);
  return [head, bytes];
}

/** @param encoded a StateRecord. */
export function stateRecord(encoded: Uint8Array): Buffer {
  return frame(Kind.State, encoded);
}

export function snapshotEndRecord(): Buffer {
  return frame(Kind.SnapshotEnd, new Uint8Array(0));
}

export function cleanEndRecord(): Buffer {
  return frame(Kind.CleanEnd, new Uint8Array(0));
}

/** Checksummed at most in search of a batch behind a record that is not whole: content may look like many. */
const SEARCH_BYTES = 256 * 1024 * 1024;

/**
 * Reads the records behind the header, up to the first that is not whole.
 * @param pieces as `readPieces` gives them.
 * @param onRecord its bytes alias a piece; false ends the reading, as after damage.
 */
export function readRecords(
  pieces: readonly Buffer[],
  onRecord: (record: LogRecord) => boolean,
): { readonly end: SegmentEnd; readonly readBytes: number } {
  let readBytes = 0;
  for (const [index, piece] of pieces.entries()) {
    const found = readPiece(piece, index === 0 ? HEADER_BYTES : 0, onRecord);
    readBytes += found.readBytes;
    if (found.end !== 'clean') return { end: found.end, readBytes };
  }
  return { end: 'clean', readBytes };
}

function readPiece(
  content: Buffer,
  start: number,
  onRecord: (record: LogRecord) => boolean,
): { readonly end: SegmentEnd; readonly readBytes: number } {
  let offset = start;
  while (offset < content.length) {
    const end = endOfRecord(content, offset);
    if (end === null) {
      // A write that was cut short is the last one: with a batch behind it, it is the length that is wrong.
      const cut = !hasBatch(content.subarray(offset + 1));
      return { end: cut ? 'torn' : 'damaged', readBytes: offset };
    }
    const record = isGood(content, offset, end)
      ? parseRecord(content.subarray(offset + RECORD_HEAD_BYTES - 1, end))
      : null;
    if (record === null || !onRecord(record)) return { end: 'damaged', readBytes: offset };
    offset = end;
  }
  return { end: 'clean', readBytes: offset };
}

/** Whether a whole snapshot is among the records; content is not decoded. @param pieces as `readPieces` gives them. */
export function hasSnapshotEnd(pieces: readonly Buffer[]): boolean {
  const wanted = snapshotEndRecord();
  for (const [index, piece] of pieces.entries()) {
    let offset = index === 0 ? HEADER_BYTES : 0;
    for (let end = endOfRecord(piece, offset); end !== null; end = endOfRecord(piece, offset)) {
      if (piece.subarray(offset, end).equals(wanted)) return true;
      offset = end;
    }
    if (offset !== piece.length) return false;
  }
  return false;
}

/** @returns where the record at `offset` ends by its length, or null where that is not in the content. */
function endOfRecord(content: Buffer, offset: number): number | null {
  if (offset + RECORD_HEAD_BYTES > content.length) return null;
  const end = offset + RECORD_HEAD_BYTES + content.readUInt32BE(offset);
  return end > content.length ? null : end;
}

function isGood(content: Buffer, offset: number, end: number): boolean {
  const checked = content.subarray(offset + RECORD_HEAD_BYTES - 1, end);
  return crc32c(checked) === content.readUInt32BE(offset + 4);
}

/** Whether a whole batch is anywhere in it, or what looks like more of them than can be checked. */
function hasBatch(content: Buffer): boolean {
  let left = SEARCH_BYTES;
  const last = content.length - RECORD_HEAD_BYTES - BATCH_HEAD_BYTES;
  for (let offset = 0; offset <= last && left > 0; offset++) {
    if (content[offset + RECORD_HEAD_BYTES - 1] !== Kind.Batch) continue;
    const end = endOfRecord(content, offset);
    if (end === null) continue;
    if (isGood(content, offset, end)) return true;
    left -= end - offset;
  }
  return left <= 0;
}

function frame(kind: number, content: Uint8Array): Buffer {
  const record = Buffer.allocUnsafe(RECORD_HEAD_BYTES + content.length);
  record.writeUInt32BE(content.length, 0);
  record[RECORD_HEAD_BYTES - 1] = kind;
  record.set(content, RECORD_HEAD_BYTES);
  record.writeUInt32BE(crc32c(record.subarray(RECORD_HEAD_BYTES - 1)), 4);
  return record;
}

/** @param checked kind and content. */
function parseRecord(checked: Buffer): LogRecord | null {
  const content = checked.subarray(1);
  switch (checked[0]) {
    case Kind.Batch: {
      if (content.length < BATCH_HEAD_BYTES) return null;
      const first = Number(content.readBigUInt64BE(0));
      const count = content.readUInt32BE(8);
      return { kind: 'batch', batch: { first, count, bytes: content.subarray(BATCH_HEAD_BYTES) } };
    }
    case Kind.State:
      return parseState(content);
    case Kind.SnapshotEnd:
      return { kind: 'snapshot_end' };
    case Kind.CleanEnd:
      return { kind: 'clean_end' };
    default:
      return null;
  }
}

function parseState(content: Buffer): LogRecord | null {
  try {
    return { kind: 'state', record: decodeMessage(StateRecord, content) };
  } catch {
    return null;
  }
}
