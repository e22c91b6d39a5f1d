import { closeSync, fstatSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { StartupError, messageOf } from '../base/errors.js';

export interface LogFileOptions {
  readonly path: string;
  /** Bytes from which on a file is put aside. */
  readonly maxSize: number;
  /** Files that are kept: the one that is written and those put aside. */
  readonly maxFiles: number;
}

/**
 * Log lines into a file that is put aside when it is full: `gatesvr.log` becomes `gatesvr.log.1`, that
 * one `gatesvr.log.2`, and the oldest goes. Lines are never split. They are written at once,
 * so that the last words of a process that dies are there; a disk that is full costs lines, never the
 * process.
 */
export class LogFile {
  private fd = -1;
  private size = 0;
  private failing = false;

  /**
   * @param complain hears once, in a line, when lines begin to be lost.
   * @throws {StartupError} LOG_UNWRITABLE.
   */
  constructor(
    private readonly options: LogFileOptions,
    private readonly complain: (line: string) => void,
  ) {
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
      const bytes = Buffer.from(line);
      if (this.size > 0 && this.size + bytes.length > this.options.maxSize) this.rotate();
      this.append(bytes);
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
    // Owner and group read it: lines name openids and addresses.
    this.fd = openSync(this.options.path, 'a', 0o640);
    this.size = fstatSync(this.fd).size;
  }

  private append(bytes: Buffer): void {
    for (let written = 0; written < bytes.length;) {
      written += writeSync(this.fd, bytes, written);
    }
    this.size += bytes.length;
  }

  private rotate(): void {
    const { path, maxFiles } = this.options;
    const before = this.fd;
    for (let number = maxFiles - 1; number > 1; number--) {
      moveIfThere(`${path}.${number - 1}`, `${path}.${number}`);
    }
    if (maxFiles > 1) moveIfThere(path, `${path}.1`);
    this.fd = openSync(path, maxFiles > 1 ? 'a' : 'w', 0o640);
    this.size = fstatSync(this.fd).size;
    closeSync(before);
  }
}

function moveIfThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
