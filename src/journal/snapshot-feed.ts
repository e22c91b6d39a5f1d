import type { StateRecord } from '../wire/messages.js';
import { snapshotEndRecord, stateRecord } from './disk-log-format.js';
import type { LogSegment } from './log-segment.js';

/** Written together at most. */
const WRITE_BYTES = 1024 * 1024;

/**
 * Writes a snapshot into a segment in steps, each within one turn. The pushes that wait for one openid
 * stay within a step, for the first of them says how many they are.
 */
export class SnapshotFeed {
  /** Written so far. */
  bytes = 0;
  private readonly records: Iterator<StateRecord>;

  constructor(records: Iterable<StateRecord>) {
    this.records = records[Symbol.iterator]();
  }

  /**
   * @param budget bytes after which it stops.
   * @returns whether the snapshot is complete, its end included.
   * @throws {Error} of the file system.
   */
  step(segment: LogSegment, budget: number): boolean {
    let parts: Buffer[] = [];
    let gathered = 0;
    let left = budget;
    let together = 0;
    for (;;) {
      const { value, done } = this.records.next();
      if (done === true) break;
      const part = stateRecord(value);
      parts.push(part);
      gathered += part.length;
      left -= part.length;
      together = value.offlinePush?.waiting || together;
      together = Math.max(0, together - 1);
      if (gathered >= WRITE_BYTES) {
        this.write(segment, parts, gathered);
        parts = [];
        gathered = 0;
      }
      if (left <= 0 && together === 0) {
        this.write(segment, parts, gathered);
        return false;
      }
    }
    const end = snapshotEndRecord();
    this.write(segment, [...parts, end], gathered + end.length);
    return true;
  }

  private write(segment: LogSegment, parts: readonly Buffer[], bytes: number): void {
    if (parts.length > 0) segment.write([Buffer.concat(parts)]);
    this.bytes += bytes;
  }
}
