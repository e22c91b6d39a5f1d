import {
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { StartupError, messageOf } from '../base/errors.js';

/** Owner and group read it: lines name openids and addresses. */
const MODE = 0o640;
const NEWLINE = 0x0a;
/** A file that could not be put aside is tried again after this part of its size, as 1/n. */
const RETRY_SHARE = 16;

export interface LogFileOptions {
  readonly path: string;
  /** Bytes from which on a file is put aside. */
  readonly maxSize: number;
  /** Files that are kept: the one that is written and those put aside. */
  readonly maxFiles: number;
}

/**
 * Log lines into a file that is put aside when it is full: `gatesvr.log` becomes `gatesvr.log.1`, that
 * one `gatesvr.log.2`, and the oldest goes. Lines are never split between files. They are written at
 * once, so that the last words of a process that dies are there; a disk that is full costs lines, never
 * the process. A file that cannot be put aside grows, and loses nothing.
 */
export class LogFile {
  private fd = -1;
  private size = 0;
  /** The size from which on it is put aside: higher than `maxSize` after that has failed. */
  private limit: number;
  private failing = false;
  private stuck = false;
  /** The file ends in the midst of a line: the disk was full. */
  private torn = false;

  /**
   * @param complain hears once, in a line, when lines begin to be lost or the file cannot be put aside.
   * @throws {StartupError} LOG_UNWRITABLE.
   */
  constructor(
    private readonly options: LogFileOptions,
    private readonly complain: (line: string) => void,
  ) {
    this.limit = options.maxSize;
    try {
      mkdirSync(dirname(options.path), { recursive: true });
      this.open();
    } catch (error) {
      const why = `cannot write log.file ${options.path}: ${messageOf(error)}`;
      throw new StartupError('LOG_UNWRITABLE', why);
    }
  }

  write(line: string): void {
    try {
      const length = Buffer.byteLength(line);
      if (this.size > 0 && this.size + length > this.limit) this.rotate();
      this.append(Buffer.from(this.torn ? `\n${line}` : line));
      this.failing = false;
    } catch (error) {
      if (!this.failing) this.complain(`${this.options.path}: lines are lost: ${messageOf(error)}`);
      this.failing = true;
    }
  }

  /** Opens the file by its name again: someone else has moved it away. */
  reopen(): void {
    const before = this.fd;
    try {
      this.open();
      closeSync(before);
    } catch (error) {
      this.complain(`${this.options.path} is not opened again: ${messageOf(error)}`);
    }
  }

  close(): void {
    if (this.fd !== -1) closeSync(this.fd);
    this.fd = -1;
  }

  private open(): void {
    this.fd = openSync(this.options.path, 'a', MODE);
    this.opened();
  }

  private opened(): void {
    this.size = fstatSync(this.fd).size;
    this.limit = this.options.maxSize;
    if (this.size === 0) this.torn = false;
  }

  private append(bytes: Buffer): void {
    for (let written = 0; written < bytes.length;) {
      const more = writeSync(this.fd, bytes, written);
      written += more;
      this.size += more;
      this.torn = bytes[written - 1] !== NEWLINE;
    }
  }

  /** Where that fails, lines go on into the present file, and it is tried again some lines later. */
  private rotate(): void {
    const { path, maxSize } = this.options;
    const before = this.fd;
    try {
      this.fd = this.putAside();
      this.opened();
      closeSync(before);
      this.stuck = false;
    } catch (error) {
      this.limit = this.size + Math.ceil(maxSize / RETRY_SHARE);
      if (!this.stuck) this.complain(`${path} grows, it cannot be put aside: ${messageOf(error)}`);
      this.stuck = true;
    }
  }

  /** @returns the new file. @throws {Error} the present one has its name still. */
  private putAside(): number {
    const { path, maxFiles } = this.options;
    if (maxFiles === 1) return openSync(path, 'w', MODE);
    // Up to the first free place only: an attempt that failed has left one, and may do so often.
    let last = 1;
    while (last < maxFiles - 1 && existsSync(`${path}.${last}`)) last++;
    for (let number = last; number > 1; number--) {
      renameSync(`${path}.${number - 1}`, `${path}.${number}`);
    }
    moveIfThere(path, `${path}.1`);
    try {
      return openSync(path, 'a', MODE);
    } catch (error) {
      moveIfThere(`${path}.1`, path);
      throw error;
    }
  }
}

function moveIfThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
