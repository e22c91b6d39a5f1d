import { messageOf } from '../base/errors.js';
import type { JournalBatch, JournalFollower, JournalRenewal } from '../journal/journal.js';
import { Part, StateRecord, decodeMessage } from '../wire/messages.js';
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
/** A part in fragments: a session's outbox may hold 1 GiB (session.outbox_max_bytes). */
const MAX_PART_BYTES = 1.5 * 1024 * 1024 * 1024;

/**
 * The parts of one turn of the primary so far. Its entries make sense together only: an answer and the push
 * bound behind it, a START and the pushes that wait for it. A promotion between them would lose some.
 */
interface Turn {
  readonly first: number;
  readonly pieces: Uint8Array[];
  count: number;
  bytes: number;
}

/** What a snapshot under way has built, beside the state that it will replace. */
interface Joining {
  readonly renewal: JournalRenewal;
  /** Of the journal behind what was taken so far. */
  position: number;
  records: number;
  bytes: number;
}

/**
 * The standby's end of one stream: parts in order, a snapshot first, with batches between its chunks;
 * each part is applied whole or not at all, and a turn of the primary with all its parts. Nothing shows
 * before the end of the snapshot is there; then all of it does at once.
 */
export class Receiver {
  private number = 0;
  private whole = false;
  private joining: Joining | null = null;
  private turn: Turn | null = null;
  private fragments: Uint8Array[] = [];
  private fragmentBytes = 0;

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
    return this.whole;
  }

  /** Applies one part. @throws {BrokenStreamError} why it was not, one line. */
  take(shipment: ShipmentFields): Applied {
    const part = this.open(shipment);
    if (part.number !== this.number + 1) {
      throw new BrokenStreamError(`part ${part.number} after part ${this.number}`);
    }
    if (part.fragment) this.gather(part.fragment);
    else if (this.fragmentBytes > 0) throw new BrokenStreamError('a part within another');
    else this.applyPart(part, part.number);
    this.number = part.number;
    // The old state, while a snapshot is under way, confirms nothing of this stream.
    return { number: this.number, position: this.whole ? this.follower.position : 0 };
  }

  private open(shipment: ShipmentFields): Part {
    try {
      return decodePart(shipment);
    } catch (error) {
      const reason = error instanceof RangeError ? error.message : 'no message';
      throw new BrokenStreamError(`${reason} behind part ${this.number}`);
    }
  }

  private gather({ bytes, last }: NonNullable<Part['fragment']>): void {
    const piece = bytes ?? new Uint8Array(0);
    if (piece.length === 0) throw new BrokenStreamError('an empty fragment');
    this.fragmentBytes += piece.length;
    if (this.fragmentBytes > MAX_PART_BYTES) throw new BrokenStreamError('a part is too large');
    this.fragments.push(piece);
    if (last !== true) return;
    const whole = Buffer.concat(this.fragments);
    this.fragments = [];
    this.fragmentBytes = 0;
    let part: Part;
    try {
      part = decodeMessage(Part, whole);
    } catch {
      throw new BrokenStreamError('a part in fragments cannot be read');
    }
    this.applyPart(part, this.number + 1);
  }

  private applyPart(part: Part, number: number): void {
    if (part.batch) this.append(part.batch);
    else if (this.turn !== null) throw new BrokenStreamError(`part ${number} within a turn`);
    else if (part.chunk) this.collect(part.chunk);
    else if (part.snapshotEnd) this.swap(part.snapshotEnd);
    else throw new BrokenStreamError(`part ${number} is of no known kind`);
  }

  private collect(chunk: NonNullable<Part['chunk']>): void {
    const joining = this.joinAt(chunk.position ?? 0);
    for (const bytes of chunk.records ?? []) {
      joining.bytes += bytes.length;
      if (joining.bytes > MAX_SNAPSHOT_BYTES) {
        throw new BrokenStreamError('the snapshot is too large');
      }
      joining.records++;
      joining.renewal.set(recordOf(bytes));
    }
  }

  /** @param position of the journal on the primary: this side must have come as far. */
  private joinAt(position: number): Joining {
    if (this.whole) throw new BrokenStreamError('a snapshot within the tail');
    this.joining ??= {
      renewal: this.follower.renew(position),
      position,
      records: 0,
      bytes: 0,
    };
    if (this.joining.position !== position) {
      const here = this.joining.position;
      throw new BrokenStreamError(`a snapshot at entry ${position} after entry ${here}`);
    }
    return this.joining;
  }

  private swap(end: NonNullable<Part['snapshotEnd']>): void {
    const epoch = end.epoch ?? 0;
    const position = end.position ?? 0;
    const { records, renewal } = this.joinAt(position);
    if (end.records !== records) throw new BrokenStreamError('the snapshot is not whole');
    if (!this.maySwap(epoch, position)) {
      throw new BrokenStreamError('the snapshot is behind what is here');
    }
    renewal.commit();
    this.joining = null;
    this.whole = true;
    this.onSnapshot(epoch, position);
  }

  private append(batch: NonNullable<Part['batch']>): void {
    const first = batch.first ?? 0;
    const count = batch.count ?? 0;
    const bytes = batch.entries ?? new Uint8Array(0);
    const { turn } = this;
    const here = (this.joining?.position ?? this.follower.position) + (turn?.count ?? 0);
    if (first !== here + 1 || count === 0) {
      throw new BrokenStreamError(`entry ${first} after entry ${here}`);
    }
    if (turn === null && batch.more !== true) return this.apply({ first, count, bytes });
    const whole = (this.turn ??= { first, pieces: [], count: 0, bytes: 0 });
    whole.pieces.push(bytes);
    whole.count += count;
    whole.bytes += bytes.length;
    if (whole.bytes > MAX_PART_BYTES) throw new BrokenStreamError('a turn is too large');
    if (batch.more === true) return;
    this.turn = null;
    this.apply({ first: whole.first, count: whole.count, bytes: Buffer.concat(whole.pieces) });
  }

  private apply(batch: JournalBatch): void {
    const reader = this.whole ? this.follower : this.joining?.renewal;
    if (reader === undefined) throw new BrokenStreamError('a batch before the snapshot');
    try {
      reader.apply(batch);
    } catch (error) {
      throw new BrokenStreamError(messageOf(error));
    }
    if (this.joining !== null) this.joining.position += batch.count;
  }
}

function recordOf(bytes: Uint8Array): StateRecord {
  try {
    return decodeMessage(StateRecord, bytes);
  } catch {
    throw new BrokenStreamError('a record of the snapshot cannot be read');
  }
}
