import type { Clock } from '../base/clock.js';
import { RingQueue } from '../base/ring-queue.js';
import type { JournalBatch, JournalSink, JournalSource } from '../journal/journal.js';
import { SnapshotFeed } from '../journal/snapshot-feed.js';
import type { Logger } from '../telemetry/log.js';
import type { ReplicationMetrics } from '../telemetry/replication-metrics.js';
import type { ConfirmationGate } from './confirmation-gate.js';
import { splitBatch } from './journal-batches.js';
import { encodePart, inMessages } from './parts.js';
import type { PartContent } from './parts.js';

export interface ShipperOptions {
  /** Entries sent together at most (backup.sync.batch_size). */
  readonly batchSize: number;
  /** Entries waiting for the standby at most (backup.sync.buffer_size). */
  readonly bufferSize: number;
}

/** The way to one standby. */
export interface ShipperLink {
  send(message: Uint8Array): void;
  /** Ends the stream; the standby comes back and begins with a snapshot. */
  drop(reason: string): void;
}

export interface ShipperParts {
  readonly source: JournalSource;
  /** Of the journal. */
  readonly epoch: number;
  readonly gate: ConfirmationGate;
  readonly link: ShipperLink;
  readonly metrics: ReplicationMetrics;
  readonly clock: Clock;
  readonly log: Logger;
  /** Runs a function in the next turn of the event loop. Default: setImmediate. */
  readonly soon?: (run: () => void) => void;
  /** Of a snapshot in one turn; default STEP_BYTES. */
  readonly stepBytes?: number;
}

/** Parts and bytes on their way without a confirmation: what keeps a slow standby from filling memory. */
const WINDOW_PARTS = 64;
const WINDOW_BYTES = 4 * 1024 * 1024;
/** Entries are sent together up to so many bytes: parts of like size fill the window evenly. */
const BATCH_BYTES = 256 * 1024;
/** Bytes of entries that wait behind the window at most. */
const BUFFER_BYTES = 64 * 1024 * 1024;
/**
 * Until a standby has its snapshot in place, which takes it seconds where there is much, and has caught up with
 * what waited meanwhile, so many times buffer_size entries may wait: one that joins under load would be dropped
 * before it had begun, for ever.
 */
const JOINING_FACTOR = 64;

interface Waiting {
  readonly content: PartContent;
  /** Of the journal, whole with this part; 0 within a snapshot. */
  readonly entries: number;
  readonly bytes: number;
}

interface InFlight {
  readonly number: number;
  readonly bytes: number;
  readonly sentAt: number;
}

/**
 * Ships one standby a snapshot and the tail, in numbered parts, under a window. The snapshot is made in
 * steps, one per turn of the event loop, and only as the window has room for it: between its records
 * goes what the journal writes meanwhile. So neither the turn nor the memory of a primary grows with
 * the number of its sessions.
 */
export class Shipper implements JournalSink {
  private readonly waiting = new RingQueue<Waiting>();
  private waitingEntries = 0;
  private waitingBytes = 0;
  /** Parts of the snapshot that wait. */
  private waitingRecords = 0;
  private readonly inFlight = new RingQueue<InFlight>();
  private inFlightBytes = 0;
  private nextNumber = 1;
  /** What is left of the snapshot; null once its end was sent. */
  private feed: SnapshotFeed | null;
  /** The part that ends the snapshot; none has this number before it was sent. */
  private endNumber = Number.POSITIVE_INFINITY;
  private joining = true;
  private scheduled = false;
  private over = false;
  /** Null before the first step: what was written by then is in the records. */
  private detach: (() => void) | null = null;

  constructor(
    private readonly options: ShipperOptions,
    private readonly parts: ShipperParts,
  ) {
    const { source, gate, metrics, clock, stepBytes } = parts;
    gate.begin(source.position);
    this.feed = new SnapshotFeed(source.snapshot(), clock, stepBytes);
    metrics.snapshots.add();
    this.pump();
  }

  /** Entries and bytes that the standby has not confirmed. */
  get lag(): { readonly frames: number; readonly bytes: number; readonly ms: number } {
    const { source, gate, clock } = this.parts;
    const oldest = this.inFlight.at(0);
    return {
      frames: Math.max(0, source.position - gate.confirmed),
      bytes: this.waitingBytes + this.inFlightBytes,
      ms: oldest === undefined ? 0 : clock.now() - oldest.sentAt,
    };
  }

  take(batch: JournalBatch): void {
    if (this.over) return;
    const parts = splitBatch(batch, this.options.batchSize, BATCH_BYTES);
    for (const [index, { first, count, bytes }] of parts.entries()) {
      // The journal may use its buffer again.
      const entries = Buffer.from(bytes);
      this.wait({ batch: { first, count, entries, more: index < parts.length - 1 } }, count);
    }
    this.pump();
    const most = this.options.bufferSize * (this.joining ? JOINING_FACTOR : 1);
    if (this.waitingEntries > most || this.waitingBytes > BUFFER_BYTES) this.dropSlow();
  }

  /**
   * The standby has applied all parts up to `number`; its journal ends at `position`.
   * @returns whether it has caught up.
   */
  onConfirmation(number: number, position: number): boolean {
    if (this.over) return false;
    const { source, gate, link } = this.parts;
    if (number >= this.nextNumber || position > source.position) {
      this.close();
      link.drop('it confirmed what was never sent');
      return false;
    }
    for (let oldest = this.inFlight.at(0); oldest !== undefined && oldest.number <= number;) {
      this.inFlightBytes -= oldest.bytes;
      this.inFlight.shift();
      oldest = this.inFlight.at(0);
    }
    this.pump();
    if (number >= this.endNumber && this.waitingEntries <= this.options.bufferSize) {
      this.joining = false;
    }
    return gate.confirm(position);
  }

  /** Takes nothing more. Idempotent. */
  close(): void {
    if (this.over) return;
    this.over = true;
    this.feed = null;
    this.detach?.();
    this.waiting.clear();
    this.inFlight.clear();
    this.parts.gate.disconnected();
  }

  /** @param entries of the journal in it, 0 for a part of the snapshot. */
  private wait(content: PartContent, entries: number): void {
    const messages = inMessages(content);
    for (const [index, message] of messages.entries()) {
      const isLast = index === messages.length - 1;
      const bytes = entries > 0 ? sizeOfEntries(message) : 0;
      this.waiting.push({ content: message, entries: isLast ? entries : 0, bytes });
      this.waitingBytes += bytes;
      if (entries === 0) this.waitingRecords++;
    }
    this.waitingEntries += entries;
  }

  private get windowOpen(): boolean {
    return this.inFlight.length < WINDOW_PARTS && this.inFlightBytes < WINDOW_BYTES && !this.over;
  }

  private pump(): void {
    while (this.windowOpen) {
      const next = this.waiting.shift();
      if (next === undefined) break;
      const { content, entries, bytes } = next;
      this.waitingEntries -= entries;
      this.waitingBytes -= bytes;
      if (entries === 0 && bytes === 0) this.waitingRecords--;
      this.send(content);
    }
    if (this.feed === null || this.feed.done || this.waitingRecords > 0 || this.scheduled) return;
    if (!this.windowOpen) return;
    this.scheduled = true;
    const { soon = setImmediate } = this.parts;
    soon(() => this.step());
  }

  /** The next records. Only at the beginning of a turn: within one, sessions may be half changed. */
  private step(): void {
    this.scheduled = false;
    if (this.over) return;
    const { source, epoch } = this.parts;
    this.detach ??= source.attach(this);
    // What the journal has not sent yet goes before the records that tell of it.
    const { position } = source;
    // Too much may have been waiting.
    const { feed } = this;
    if (feed === null) return;
    const records = feed.step();
    if (records.length > 0) this.wait({ chunk: { position, records } }, 0);
    if (feed.done) this.wait({ snapshotEnd: { epoch, position, records: feed.count } }, 0);
    this.pump();
  }

  private send(content: PartContent): void {
    const number = this.nextNumber++;
    const message = encodePart(number, content);
    if ('snapshotEnd' in content) {
      this.feed = null;
      this.endNumber = number;
    }
    this.inFlight.push({ number, bytes: message.length, sentAt: this.parts.clock.now() });
    this.inFlightBytes += message.length;
    this.parts.link.send(message);
  }

  private dropSlow(): void {
    const { waitingEntries: entries, waitingBytes: bytes } = this;
    const { log, metrics, link } = this.parts;
    log.warn({ entries, bytes }, 'the standby is too slow; it starts again from a snapshot');
    metrics.resyncs.add('slow');
    this.close();
    link.drop('too slow; start again from a snapshot');
  }
}

function sizeOfEntries(content: PartContent): number {
  if ('batch' in content) return content.batch.entries.length;
  return 'fragment' in content ? content.fragment.bytes.length : 0;
}
