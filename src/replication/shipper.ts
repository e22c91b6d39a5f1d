import type { Clock } from '../base/clock.js';
import { RingQueue } from '../base/ring-queue.js';
import type { JournalBatch, JournalSink, JournalSource } from '../journal/journal.js';
import type { Logger } from '../telemetry/log.js';
import type { ReplicationMetrics } from '../telemetry/replication-metrics.js';
import type { ConfirmationGate } from './confirmation-gate.js';
import { splitBatch } from './journal-batches.js';
import { batchContent, encodePart, snapshotContents } from './parts.js';
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

/** Parts and bytes on their way without a confirmation: what keeps a slow standby from filling memory. */
const WINDOW_PARTS = 64;
const WINDOW_BYTES = 4 * 1024 * 1024;
/** Bytes of entries that wait behind the window at most. */
const BUFFER_BYTES = 64 * 1024 * 1024;
/**
 * While a snapshot is under way so many times buffer_size entries may wait: a standby that joins under
 * load would be dropped before it had begun, for ever.
 */
const JOINING_FACTOR = 64;

interface InFlight {
  readonly number: number;
  readonly bytes: number;
  readonly sentAt: number;
}

/** Ships one standby a snapshot and the tail behind it, in numbered parts, under a window. */
export class Shipper implements JournalSink {
  private readonly waiting = new RingQueue<PartContent>();
  private waitingEntries = 0;
  private waitingBytes = 0;
  private readonly inFlight = new RingQueue<InFlight>();
  private inFlightBytes = 0;
  private nextNumber = 1;
  private joining = true;
  private over = false;
  private readonly detach: () => void;

  /** Reads the whole snapshot within this turn. @param epoch of the journal. */
  constructor(
    private readonly options: ShipperOptions,
    private readonly source: JournalSource,
    epoch: number,
    private readonly gate: ConfirmationGate,
    private readonly link: ShipperLink,
    private readonly metrics: ReplicationMetrics,
    private readonly clock: Clock,
    private readonly log: Logger,
  ) {
    const { position } = source;
    gate.begin(position);
    for (const content of snapshotContents(source.snapshot(), epoch, position)) {
      this.waiting.push(content);
    }
    this.detach = source.attach(this);
    metrics.snapshots.add();
    this.pump();
  }

  /** Entries and bytes that the standby has not confirmed. */
  get lag(): { readonly frames: number; readonly bytes: number; readonly ms: number } {
    const oldest = this.inFlight.at(0);
    return {
      frames: Math.max(0, this.source.position - this.gate.confirmed),
      bytes: this.waitingBytes + this.inFlightBytes,
      ms: oldest === undefined ? 0 : this.clock.now() - oldest.sentAt,
    };
  }

  take(batch: JournalBatch): void {
    if (this.over) return;
    for (const { first, count, bytes } of splitBatch(batch, this.options.batchSize)) {
      // The journal may use its buffer again.
      this.waiting.push(batchContent({ first, count, bytes: Buffer.from(bytes) }));
      this.waitingBytes += bytes.length;
      this.waitingEntries += count;
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
    if (number >= this.nextNumber || position > this.source.position) {
      this.close();
      this.link.drop('it confirmed what was never sent');
      return false;
    }
    for (let oldest = this.inFlight.at(0); oldest !== undefined && oldest.number <= number;) {
      this.inFlightBytes -= oldest.bytes;
      this.inFlight.shift();
      oldest = this.inFlight.at(0);
    }
    this.pump();
    return this.gate.confirm(position);
  }

  /** Takes nothing more. Idempotent. */
  close(): void {
    if (this.over) return;
    this.over = true;
    this.detach();
    this.waiting.clear();
    this.inFlight.clear();
    this.gate.disconnected();
  }

  private pump(): void {
    while (this.inFlight.length < WINDOW_PARTS && this.inFlightBytes < WINDOW_BYTES && !this.over) {
      const content = this.waiting.shift();
      if (content === undefined) return;
      if ('batch' in content) {
        this.waitingBytes -= content.batch.entries.length;
        this.waitingEntries -= content.batch.count;
      } else if ('snapshotEnd' in content) this.joining = false;
      const number = this.nextNumber++;
      const message = encodePart(number, content);
      this.inFlight.push({ number, bytes: message.length, sentAt: this.clock.now() });
      this.inFlightBytes += message.length;
      this.link.send(message);
    }
  }

  private dropSlow(): void {
    const { waitingEntries: entries, waitingBytes: bytes } = this;
    this.log.warn({ entries, bytes }, 'the standby is too slow; it starts again from a snapshot');
    this.metrics.resyncs.add('slow');
    this.close();
    this.link.drop('too slow; start again from a snapshot');
  }
}
