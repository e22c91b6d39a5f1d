import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';

/** Read at once. Node reads no file above 2 GiB as a whole, and what sessions hold may be more. */
const PIECE_BYTES = 256 * 1024 * 1024;
/** Longer than any record; a length above it is damage. */
const MAX_RECORD_BYTES = 2 ** 31;

/** A file of records, each with the length of its content in its first four bytes. */
export interface RecordFile {
  /** Before the first record. */
  readonly headerBytes: number;
  /** Of each record, before its content. */
  readonly recordHeadBytes: number;
}

/**
 * Reads a whole file in pieces that end where a record ends; the first begins with the header. What is no
 * whole record, because it was cut off or its length is wrong, is at the end of a piece, behind which nothing counts.
 * @param pieceBytes of a piece at most, unless a record is longer; default PIECE_BYTES.
 * @throws {Error} of the file system.
 */
export async function readPieces(
  path: string,
  format: RecordFile,
  pieceBytes = PIECE_BYTES,
): Promise<Buffer[]> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const pieces: Buffer[] = [];
    for (let at = 0; at < size;) {
      const piece = await pieceAt(file, at, size, format, pieceBytes);
      if (piece.length === 0) break;
      pieces.push(piece);
      at += piece.length;
    }
    return pieces;
  } finally {
    await file.close();
  }
}

/** @param headerBytes of the file where the piece is its beginning, else 0. @returns where its last whole record ends. */
function endOfRecords(piece: Buffer, headerBytes: number, recordHeadBytes: number): number {
  let end = headerBytes;
  while (end + recordHeadBytes <= piece.length) {
    const next = end + recordHeadBytes + piece.readUInt32BE(end);
    if (next > piece.length) break;
    end = next;
  }
  return Math.min(end, piece.length);
}

async function pieceAt(
  file: FileHandle,
  at: number,
  size: number,
  { headerBytes, recordHeadBytes }: RecordFile,
  pieceBytes: number,
): Promise<Buffer> {
  const left = size - at;
  const piece = await readAt(file, at, Math.min(pieceBytes, left));
  if (piece.length === left) return piece;
  const end = endOfRecords(piece, at === 0 ? headerBytes : 0, recordHeadBytes);
  if (end > 0) return piece.subarray(0, end);
  const whole = recordHeadBytes + piece.readUInt32BE(0);
  return whole <= left && whole < MAX_RECORD_BYTES ? readAt(file, at, whole) : piece;
}

async function readAt(file: FileHandle, at: number, length: number): Promise<Buffer> {
  const content = Buffer.allocUnsafeSlow(length);
  let read = 0;
  while (read < length) {
    const { bytesRead } = await file.read(
      content,
      read,
      Math.min(PIECE_BYTES, length - read),
      at + read,
    );
    if (bytesRead === 0) break;
    read += bytesRead;
  }
  return content.subarray(0, read);
}
