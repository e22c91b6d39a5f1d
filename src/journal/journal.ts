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
  /** Everything up to `position`; to be read to its end within the turn that asked. */
  snapshot(): Iterable<StateRecord>;
  /** Every batch after `position` goes to `sink` from now on. @returns ends that. */
  attach(sink: JournalSink): () => void;
}

/** What is built by reading a journal: on a standby, and when a log is read back. */
export interface JournalFollower {
  /** Position up to which it has everything. */
  readonly position: number;
  /** Forgets everything and starts from a whole snapshot. */
  reset(position: number, records: Iterable<StateRecord>): void;
  /** @throws {CodedError} JOURNAL_GAP when the batch does not begin right after `position`. */
  apply(batch: JournalBatch): void;
}
