import type { Clock } from '../base/clock.js';
import { StateRecord, encodeMessage } from '../wire/messages.js';

/** Of a snapshot in one turn, whichever comes first: so much later everything else has its turn. */
export const STEP_BYTES = 256 * 1024;
export const STEP_MS = 4;

/**
 * Takes a snapshot in steps, each within one turn. What is written down between two steps must go to
 * the same reader between them, in that order. The pushes that wait for one openid stay within a step,
 * for the first of them says how many they are; one step is never less than a whole record.
 */
export class SnapshotFeed {
  /** Of all records so far, encoded. */
  bytes = 0;
  /** Records so far. */
  count = 0;
  private ended = false;
  private readonly records: Iterator<StateRecord>;

  /** @param stepBytes for tests, which want many steps. */
  constructor(
    records: Iterable<StateRecord>,
    private readonly clock: Clock,
    private readonly stepBytes: number = STEP_BYTES,
  ) {
    this.records = records[Symbol.iterator]();
  }

  /** Whether every record was taken. */
  get done(): boolean {
    return this.ended;
  }

  /**
   * The next records, encoded as StateRecord. The journal must have been flushed in this turn, for a
   * record tells of everything up to now.
   */
  step(): Uint8Array[] {
    const until = this.clock.now() + STEP_MS;
    const step: Uint8Array[] = [];
    let room = this.stepBytes;
    let together = 0;
    while ((room > 0 && this.clock.now() < until) || together > 0 || step.length === 0) {
      const { value, done } = this.records.next();
      if (done === true) {
        this.ended = true;
        break;
      }
      const encoded = encodeMessage(StateRecord, value);
      step.push(encoded);
      room -= encoded.length;
      this.bytes += encoded.length;
      together = value.offlinePush?.waiting || together;
      together = Math.max(0, together - 1);
    }
    this.count += step.length;
    return step;
  }
}
