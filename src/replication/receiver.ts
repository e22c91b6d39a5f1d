import { messageOf } from '../base/errors.js';
import type { JournalFollower } from '../journal/journal.js';
import { StateRecord, decodeMessage } from '../wire/messages.js';
import type { Part } from '../wire/messages.js';
import { decodePart } from './parts.js';
import type { ShipmentFields } from './parts.js';

/** What was applied, to be confirmed to the primary. */
export interface Applied {
  readonly number: number;
  readonly position: number;
}

/** A part that cannot be applied: nothing has changed, and only a new snapshot helps. */
export class BrokenStreamError extends Error {}

/** A snapshot above this would not fit beside the state it replaces; its stream is ended. */
const MAX_SNAPSHOT_BYTES = 4 * 1024 * 1024 * 1024;

/**
 * The standby's end of one stream: parts in order, a snapshot first, each one applied whole or not at
 * all. Nothing changes before the end of the snapshot is there.
 */
export class Receiver {
  private number = 0;
  private records: StateRecord[] | null = [];
  private bytes = 0;

  /**
   * @param maySwap asked at the end of the snapshot, before the state is replaced.
   * @param onSnapshot the state was replaced: epoch and position of the journal.
   */
  constructor(
    private readonly follower: JournalFollower,
    private readonly maySwap: (epoch: number, position: number) => boolean,
    private readonly onSnapshot: (epoch: number, position: number) => void,
  ) {}

  /** Whether the snapshot is whole and the tail has begun. */
  get complete(): boolean {
    return this.records === null;
  }

  /** Applies one part. @throws {BrokenStreamError} why it was not, one line. */
  take(shipment: ShipmentFields): Applied {
    const part = this.open(shipment);
    if (part.number !== this.number + 1) {
      throw new BrokenStreamError(`part ${part.number} after part ${this.number}`);
    }
    if (part.chunk) this.collect(part.chunk.records ?? []);
    else if (part.snapshotEnd) this.swap(part.snapshotEnd);
    else if (part.batch) this.append(part.batch);
    else throw new BrokenStreamError(`part ${part.number} is of no known kind`);
    this.number = part.number;
    // The old state, while a snapshot is under way, confirms nothing of this stream.
    return { number: this.number, position: this.complete ? this.follower.position : 0 };
  }

  private open(shipment: ShipmentFields): Part {
    try {
      return decodePart(shipment);
    } catch (error) {
      const reason = error instanceof RangeError ? error.message : 'no message';
      throw new BrokenStreamError(`${reason} behind part ${this.number}`);
    }
  }

  private collect(records: readonly Uint8Array[]): void {
    if (this.records === null) throw new BrokenStreamError('a snapshot within the tail');
    for (const bytes of records) {
      this.bytes += bytes.length;
      if (this.bytes > MAX_SNAPSHOT_BYTES) throw new BrokenStreamError('the snapshot is too large');
      try {
        this.records.push(decodeMessage(StateRecord, bytes));
      } catch {
        throw new BrokenStreamError('a record of the snapshot cannot be read');
      }
    }
  }

  private swap(end: NonNullable<Part['snapshotEnd']>): void {
    const { records } = this;
    const epoch = end.epoch ?? 0;
    const position = end.position ?? 0;
    if (records === null) throw new BrokenStreamError('a second snapshot');
    if (end.records !== records.length) throw new BrokenStreamError('the snapshot is not whole');
    if (!this.maySwap(epoch, position)) {
      throw new BrokenStreamError('the snapshot is behind what is here');
    }
    this.follower.reset(position, records);
    this.onSnapshot(epoch, position);
    this.records = null;
  }

  private append(batch: NonNullable<Part['batch']>): void {
    const first = batch.first ?? 0;
    const count = batch.count ?? 0;
    const bytes = batch.entries ?? new Uint8Array(0);
    if (this.records !== null) throw new BrokenStreamError('a batch before the snapshot');
    if (first !== this.follower.position + 1 || count === 0) {
      const here = this.follower.position;
      throw new BrokenStreamError(`entry ${first} after entry ${here}`);
    }
    try {
      this.follower.apply({ first, count, bytes });
    } catch (error) {
      throw new BrokenStreamError(messageOf(error));
    }
  }
}
