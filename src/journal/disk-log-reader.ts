import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { CodedError, StartupError, messageOf } from '../base/errors.js';
import {
  HEADER_BYTES,
  RECORD_HEAD_BYTES,
  hasSnapshotEnd,
  parseHeader,
  readRecords,
} from './disk-log-format.js';
import type { LogRecord, SegmentHeader } from './disk-log-format.js';
import { JournalImage } from './journal-image.js';
import { readPieces } from './record-pieces.js';

const SEGMENT = { headerBytes: HEADER_BYTES, recordHeadBytes: RECORD_HEAD_BYTES };
const SEGMENT_NAME = /^(\d{8})\.log$/;

/** What a log on disk held. */
export interface RecoveredLog {
  readonly image: JournalImage;
  /**
   * Everything that was ever sent is in it: the process ended gracefully, or was killed while the
   * machine went on, and nothing failed to be written.
   */
  readonly complete: boolean;
  /** Something in it cannot be read, and what came behind that is lost. */
  readonly damaged: boolean;
  /** Bytes at the end that were no whole record and were cut. */
  readonly cutBytes: number;
}

/** One segment as it was found. */
export interface SegmentContent {
  readonly header: SegmentHeader;
  /** As `readPieces` gives it. */
  readonly content: readonly Buffer[];
}

export function segmentName(number: number): string {
  return `${String(number).padStart(8, '0')}.log`;
}

/** The number of a segment by the name of its file; null for other files. */
export function segmentNumberOf(name: string): number | null {
  const digits = SEGMENT_NAME.exec(name)?.[1];
  return digits === undefined ? null : Number(digits);
}

/** The numbers of the segments in a folder, in order; empty where there is no folder. */
export async function segmentNumbers(folder: string): Promise<number[]> {
  let names: string[];
  try {
    names = await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  const numbers = names.map(segmentNumberOf).filter((found) => found !== null);
  return numbers.sort((one, other) => one - other);
}

/**
 * Reads the log in a folder.
 * @param bootId of the machine, empty where it is not known.
 * @param pieceBytes read at once; default as `readPieces`.
 * @returns null where there is none, or none that served anyone.
 * @throws {StartupError} JOURNAL_UNREADABLE, which names what the system does not let us read.
 */
export async function readLog(
  folder: string,
  bootId: string,
  pieceBytes?: number,
): Promise<RecoveredLog | null> {
  const numbers = await readable(folder, segmentNumbers(folder));
  const segments: SegmentContent[] = [];
  // With those that were begun and that nothing relied on yet, unless their snapshot was whole once.
  const all: SegmentContent[] = [];
  let damaged = false;
  for (const number of numbers.reverse()) {
    const path = join(folder, segmentName(number));
    const content = await readable(path, readPieces(path, SEGMENT, pieceBytes));
    const header = content[0] === undefined ? null : parseHeader(content[0]);
    if (header === null) {
      damaged ||= content.length > 0;
      continue;
    }
    const segment = { header, content };
    const complete = hasSnapshotEnd(content);
    all.unshift(segment);
    if (complete || !header.standalone) segments.unshift(segment);
    // Nobody is served before it is whole.
    else damaged ||= readRecords(content, ({ kind }) => kind !== 'batch').end === 'damaged';
    if (complete) return replay(segments, bootId, damaged);
  }
  return damaged || !all.every(isBare) ? replay(all, bootId, true) : null;
}

/** Whether nobody was served from it: a first start that was killed had nothing to write down. */
function isBare({ header, content }: SegmentContent): boolean {
  const isHeader = (found: LogRecord) => found.kind === 'state' && !!found.record.header;
  return header.standalone && readRecords(content, isHeader).end !== 'damaged';
}

/** To begin without it would remove it, and what it holds, as soon as the next segment is written. */
async function readable<T>(path: string, reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (cause) {
    const advice =
      'let the user of the gateway read it, or move it away to start without what it holds';
    const message = `cannot read the journal ${path}: ${messageOf(cause)}; ${advice}`;
    throw new StartupError('JOURNAL_UNREADABLE', message, { cause });
  }
}

/** Builds the state from segments of which the first holds a whole snapshot. */
export function replay(
  segments: readonly SegmentContent[],
  bootId: string,
  damagedBefore = false,
): RecoveredLog {
  const image = new JournalImage();
  image.reset(segments[0]?.header.position ?? 0, []);
  let complete = true;
  let damaged = damagedBefore;
  let cutBytes = 0;
  let cleanEnd = false;
  for (const [index, { header, content }] of segments.entries()) {
    const { end, readBytes } = readRecords(content, (record) => {
      cleanEnd = record.kind === 'clean_end';
      return take(image, record);
    });
    cutBytes += content.reduce((sum, piece) => sum + piece.length, 0) - readBytes;
    // A kill may cut the write of a batch short: nothing of that batch was sent yet.
    const killed = end === 'torn' && index === segments.length - 1;
    if (!header.whole) complete = false;
    if (end !== 'clean' && !killed) damaged = true;
  }
  const sameBoot = bootId !== '' && segments.at(-1)?.header.bootId === bootId;
  const ended = cleanEnd || sameBoot;
  return { image, complete: complete && !damaged && ended, damaged, cutBytes };
}

/** @returns false where it does not follow from what came before. */
function take(image: JournalImage, record: LogRecord): boolean {
  if (record.kind === 'state') image.set(record.record);
  if (record.kind !== 'batch') return true;
  try {
    image.apply(record.batch);
    return true;
  } catch (error) {
    if (error instanceof CodedError) return false;
    throw error;
  }
}
