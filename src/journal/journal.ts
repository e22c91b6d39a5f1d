import type { StateRecord } from '../wire/messages.js';

/**
 * Entries of one event-loop turn, in order. What sessions and routing did, written so that whoever
 * reads all of it, in order, has what they have (REPLICATION.md).
 */
export interface JournalBatch {
  /** Position of the first entry. Positions count up by one over the life of a journal. */
  readonly first: number;
  readonly count: number;
  /** The entries, each with its length before it (a varint) as protobuf writes a delimited message. */
  readonly bytes: Uint8Array;
}

/** Where a journal's batches go: the disk log, the standby. */
export interface JournalSink {
  /** Takes the batch of the turn that ends. Neither waits nor throws; what it keeps, it copies. */
  take(batch: JournalBatch): void;
}

/** What a sink that comes late, or fell behind, starts from. */
export interface JournalSource {
  /** Position of the last entry that batches have carried. */
  readonly position: number;
  /**
   * Everything, read at the pace of whoever asked, over many turns: a record tells of everything up to
   * the position at which it is read. What happens to it later is in the batches behind that. To be
   * read only at the beginning of a turn, never from within `take`.
   */
  snapshot(): Iterable<StateRecord>;
  /** Every batch after `position` goes to `sink` from now on. @returns ends that. */
  attach(sink: JournalSink): () => void;
}

/** What is built by reading a journal: on a standby, and when a log is read back. */
export interface JournalFollower {
  /** Position up to which it has everything. */
  readonly position: number;
  /**
   * Another history begins to come, in records and batches; nothing shows before it is whole. One that
   * is not committed is forgotten.
   * @param position of the journal at its first record.
   */
  renew(position: number): JournalRenewal;
  /** @throws {CodedError} JOURNAL_GAP when the batch does not begin right after `position`. */
  apply(batch: JournalBatch): void;
}

/** A history on its way: records of a snapshot, between them the batches that were written meanwhile. */
export interface JournalRenewal {
  set(record: StateRecord): void;
  /** @throws {CodedError} as JournalFollower.apply. */
  apply(batch: JournalBatch): void;
  /** It is whole, and takes the place of what there was at once. */
  commit(): void;
}
