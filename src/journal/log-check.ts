import {
  accessSync,
  closeSync,
  constants,
  openSync,
  readSync,
  readdirSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../base/errors.js';
import { HEADER_BYTES, parseHeader } from './disk-log-format.js';
import { segmentNumberOf } from './disk-log-reader.js';

/** What a look at the folder of a log found. */
export interface FoundLog {
  readonly segments: number;
  /** Paths of segments that do not begin as one. */
  readonly damaged: readonly string[];
}

/**
 * Looks whether a start could read and write a log, and how its segments begin; not at what is in them. Changes
 * nothing, and does no harm to a process that writes it.
 * @throws {Error} of the file system, where a start would fail.
 */
export function checkLog(folder: string): FoundLog {
  if (!statSync(folder).isDirectory()) throw new Error(`${folder} is not a directory`);
  accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  const names = readdirSync(folder).filter((name) => segmentNumberOf(name) !== null);
  const paths = names.map((name) => join(folder, name));
  return { segments: paths.length, damaged: paths.filter((path) => !beginsAsSegment(path)) };
}

function unreadable(path: string, cause: unknown): Error {
  return new Error(`cannot read ${path}: ${messageOf(cause)}`, { cause });
}

function beginsAsSegment(path: string): boolean {
  const header = Buffer.alloc(HEADER_BYTES);
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    // Compacted away by the gateway that runs.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true;
    throw unreadable(path, error);
  }
  try {
    const bytes = readSync(file, header, 0, HEADER_BYTES, 0);
    // Just begun.
    return bytes === 0 || parseHeader(header.subarray(0, bytes)) !== null;
  } catch (error) {
    throw unreadable(path, error);
  } finally {
    closeSync(file);
  }
}
