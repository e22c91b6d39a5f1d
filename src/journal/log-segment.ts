import {
  closeSync,
  fdatasync,
  fdatasyncSync,
  openSync,
  unlinkSync,
  writeSync,
  writevSync,
} from 'node:fs';
import { STATUS_HOLES, STATUS_OFFSET, batchRecord, encodeHeader } from './disk-log-format.js';
import type { SegmentHeader } from './disk-log-format.js';
import { FILE_MODE } from './durable-file.js';
import type { JournalBatch } from './journal.js';

/** One file of the log that is being written. Every write is in the system's hands when it returns. */
export class LogSegment {
  /** Bytes written. */
  bytes = 0;
  private open = true;
  private readonly file: number;

  /** @throws {Error} of the file system; nothing is left open. */
  constructor(
    readonly path: string,
    header: SegmentHeader,
  ) {
    this.file = openSync(path, 'wx', FILE_MODE);
    try {
      this.write([encodeHeader(header)]);
    } catch (error) {
      this.removeIfPossible();
      throw error;
    }
  }

  /** @throws {Error} of the file system: then the end of the file may hold a part of it. */
  append(batch: JournalBatch): void {
    this.write(batchRecord(batch));
  }

  /** @throws {Error} as append. */
  write(parts: readonly Uint8Array[]): void {
    let wanted = 0;
    for (const part of parts) wanted += part.length;
    let written = writevSync(this.file, parts);
    if (written < wanted) {
      // Nearly never: the disk is full, which the next call says, or the write was cut in two.
      const rest = Buffer.concat(parts);
      while (written < wanted) written += writeSync(this.file, rest, written);
    }
    this.bytes += wanted;
  }

  /** Says in the header that something is missing here. @returns whether that could be said. */
  markHoles(): boolean {
    try {
      writeSync(this.file, Buffer.from([STATUS_HOLES]), 0, 1, STATUS_OFFSET);
      return true;
    } catch {
      return false;
    }
  }

  /** Brings what was written to the disk itself. */
  sync(done: (error: Error | null) => void): void {
    fdatasync(this.file, done);
  }

  /** As sync, at once. @throws {Error} of the file system. */
  syncNow(): void {
    fdatasyncSync(this.file);
  }

  /** Closes it and removes the file. @returns whether the disk let it: else the file is still there. */
  removeIfPossible(): boolean {
    this.close();
    try {
      unlinkSync(this.path);
      return true;
    } catch {
      return false;
    }
  }

  /** What counts was synced before: an error at the end says nothing new, and the file is closed all the same. */
  close(): void {
    if (!this.open) return;
    this.open = false;
    try {
      closeSync(this.file);
    } catch {
      // See above.
    }
  }
}
