import { mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Cancel, Clock } from '../base/clock.js';
import { StartupError, messageOf } from '../base/errors.js';
import type { JournalMetrics } from '../telemetry/journal-metrics.js';
import type { Logger } from '../telemetry/log.js';
import { cleanEndRecord, snapshotEndRecord, stateRecord } from './disk-log-format.js';
import { segmentName, segmentNumbers } from './disk-log-reader.js';
import { syncDirectory, syncDirectoryNow } from './durable-file.js';
import type { JournalBatch, JournalSink } from './journal.js';
import type { JournalWriter } from './journal-writer.js';
import { LogSegment } from './log-segment.js';
import { LogSync } from './log-sync.js';
import type { FsyncPolicy } from './log-sync.js';
import { SnapshotFeed } from './snapshot-feed.js';
import type { ThresholdBar, WaitFailure } from './threshold.js';

/** A log is written anew once it is larger than this and than COMPACT_FACTOR snapshots. */
const COMPACT_AT_BYTES = 128 * 1024 * 1024;
const COMPACT_FACTOR = 3;

/** How often a log that could not be written is tried again, ms. */
const RETRY_MS = 1_000;

export interface DiskLogOptions {
  /** Of the folder; made if it is missing. */
  readonly folder: string;
  readonly fsync: FsyncPolicy;
  /** Of the machine, empty where it is not known. */
  readonly bootId: string;
  /** Default 128 MiB. */
  readonly compactAtBytes?: number;
  /** Makes the file of a segment; for tests whose disk is full. */
  readonly create?: (...args: ConstructorParameters<typeof LogSegment>) => LogSegment;
  /** Brings the entries of a folder to the disk itself; for tests whose disk fails. */
  readonly syncFolder?: (path: string) => void;
}

/**
 * The journal on disk: segments of which the newest is appended to. One that has grown too large is
 * followed by another that begins with a snapshot, written in steps between the batches; when it is
 * complete, the ones before it go. So the log is not larger than the limit and two snapshots,
 * unless no segment can be added: then the one there is goes on.
 *
 * A batch is written before its turn sends anything, and so whatever anyone was told survives a kill.
 * While the disk cannot be written pushes and requests are refused; it is tried again every second.
 */
export class DiskLog implements JournalSink {
  /** Null while the disk cannot be written. */
  private segment: LogSegment | null = null;
  private older: string[] = [];
  private olderBytes = 0;
  private snapshotBytes = 0;
  /** Clock time from which a log that is too large may be written anew; -Infinity unless that failed. */
  private compactFrom = -Infinity;
  private feed: SnapshotFeed | null = null;
  private nextNumber = 1;
  /** Whether the history that is written down lacks nothing. */
  private whole = true;
  private clearObstacle: (() => void) | null = null;
  private detach: (() => void) | null = null;
  private cancelRetry: Cancel | null = null;
  private readonly bar: ThresholdBar;
  private readonly sync: LogSync;

  constructor(
    private readonly journal: JournalWriter,
    private readonly options: DiskLogOptions,
    private readonly clock: Clock,
    private readonly log: Logger,
    private readonly metrics: JournalMetrics,
  ) {
    this.bar = journal.settled.hold(journal.newest);
    this.sync = new LogSync(options.fsync, clock, this.bar, (error) => this.failed(error));
    metrics.observe({
      failing: () => this.failing,
      sizeBytes: () => this.olderBytes + (this.segment?.bytes ?? 0),
      unsettled: () => journal.settled.length,
    });
  }

  /** Whether the disk cannot be written at the moment. */
  get failing(): boolean {
    return this.clearObstacle !== null;
  }

  /**
   * Writes everything there is into a new segment, removes those before it, and follows the journal
   * from here on. Must be done before anyone is served.
   * @param whole false where that may lack its end: so will everything read from this log, until another
   * history takes its place.
   * @throws {StartupError} JOURNAL_UNWRITABLE.
   */
  async begin(whole = true): Promise<void> {
    const { folder } = this.options;
    this.whole = whole;
    try {
      const made = mkdirSync(folder, { recursive: true, mode: 0o700 });
      if (made !== undefined) this.syncEntriesOf(dirname(folder));
      const numbers = await segmentNumbers(folder);
      this.older = numbers.map((number) => join(folder, segmentName(number)));
      this.nextNumber = (numbers.at(-1) ?? 0) + 1;
      this.detach = this.journal.attach(this);
      this.startSegment(true);
      while (this.feed !== null) this.step();
      if (this.segment === null) throw new Error('the disk cannot be written');
      this.segment.syncNow();
      await this.dropOlder(this.older.splice(0));
    } catch (error) {
      const advice = 'make it writable, or name another folder in journal.path';
      const message = `cannot write the journal in ${folder}: ${messageOf(error)}; ${advice}`;
      throw new StartupError('JOURNAL_UNWRITABLE', message);
    }
    this.bar.raise(this.journal.newest);
    this.sync.start(() => this.segment);
  }

  take(batch: JournalBatch): void {
    const { segment } = this;
    if (segment === null) return;
    const before = segment.bytes;
    try {
      segment.append(batch);
    } catch (error) {
      this.failed(error);
      return;
    }
    this.metrics.batches.add();
    this.metrics.bytes.add(segment.bytes - before);
    if (!this.failing) this.sync.written(batch.first + batch.count - 1);
    if (this.feed !== null || segment.bytes <= this.limit) return;
    if (this.clock.now() >= this.compactFrom) this.compact();
  }

  /**
   * Another history has taken the place of what is here: all of it is written within this turn, for
   * what this process says of itself from now on must be true after a kill. Only under `always` does the turn
   * wait for the disk too: a slow one takes longer for all of it than the event loop may stand still.
   */
  rewrite(): void {
    const always = this.options.fsync === 'always';
    this.whole = true;
    // Until the new segment is complete a kill brings the former history back: not as one to go on with.
    this.segment?.markHoles();
    try {
      this.startSegment(true);
      while (this.feed !== null) this.step();
      if (always) this.segment?.syncNow();
    } catch (error) {
      this.sync.restart(0);
      this.failed(error);
      return;
    }
    this.sync.restart(this.journal.newest);
    if (!always) return this.dropOlderOnceSynced();
    this.recovered();
    void this.dropOlder(this.older.splice(0));
  }

  /**
   * What snapshots are taken of has changed hands, the history has not: a snapshot under way begins
   * again, behind what it has written.
   */
  restartSnapshot(): void {
    if (this.feed !== null) this.feed = new SnapshotFeed(this.journal.snapshot(), this.clock);
  }

  /** Marks the end and closes. What is written later is lost. */
  stop(): void {
    this.journal.flush();
    this.detach?.();
    this.cancelRetry?.();
    this.sync.stop();
    const { segment } = this;
    this.segment = this.feed = null;
    this.bar.remove();
    if (segment === null) return;
    try {
      // Without its snapshot it is not worth more than the ones before it: those go on counting.
      segment.write([cleanEndRecord()]);
      segment.syncNow();
    } catch (error) {
      this.log.error({ reason: messageOf(error) }, 'the journal could not be ended');
    }
    segment.close();
  }

  private get limit(): number {
    const floor = this.options.compactAtBytes ?? COMPACT_AT_BYTES;
    return Math.max(floor, COMPACT_FACTOR * this.snapshotBytes);
  }

  private compact(): void {
    try {
      this.segment?.syncNow();
    } catch (error) {
      return this.failed(error);
    }
    try {
      this.startSegment(false);
    } catch (error) {
      // The one there is can be written all the same, and only grows meanwhile.
      const told = { reason: messageOf(error), folder: this.options.folder };
      if (this.compactFrom === -Infinity) this.log.warn(told, 'the journal cannot be compacted');
      this.compactFrom = this.clock.now() + RETRY_MS;
      return;
    }
    this.compactFrom = -Infinity;
    this.soon();
  }

  /** From here on batches go into a new segment; its snapshot follows in steps. */
  private startSegment(standalone: boolean): void {
    const { folder, bootId } = this.options;
    const { whole } = this;
    const { position } = this.journal;
    const path = join(folder, segmentName(this.nextNumber++));
    const create = this.options.create ?? ((...args) => new LogSegment(...args));
    const next = create(path, { whole, standalone, position, bootId });
    try {
      this.syncEntriesOf(folder);
    } catch (error) {
      this.discard(next);
      throw error;
    }
    if (this.segment !== null) {
      this.older.push(this.segment.path);
      this.olderBytes += this.segment.bytes;
      this.segment.close();
    }
    this.segment = next;
    this.feed = new SnapshotFeed(this.journal.snapshot(), this.clock);
  }

  /** A file that was synced is lost in a power cut all the same if its folder does not name it yet. */
  private syncEntriesOf(folder: string): void {
    const { fsync, syncFolder = syncDirectoryNow } = this.options;
    if (fsync === 'always') syncFolder(folder);
  }

  private soon(): void {
    setImmediate(() => {
      if (this.feed === null) return;
      try {
        this.step();
      } catch (error) {
        return this.failed(error);
      }
      if (this.feed === null) this.dropOlderOnceSynced(() => this.metrics.compactions.add());
      else this.soon();
    });
  }

  private step(): void {
    const { feed, segment } = this;
    if (feed === null || segment === null) return;
    // A record tells of everything up to now: what was written down about it must stand before it.
    this.journal.flush();
    if (this.feed !== feed || this.segment !== segment) return;
    const records = feed.step().map(stateRecord);
    if (feed.done) records.push(snapshotEndRecord());
    segment.write([Buffer.concat(records)]);
    if (!feed.done) return;
    this.snapshotBytes = feed.bytes;
    this.feed = null;
  }

  /** @param done runs once the disk has the newest segment, before those that it stands for go. */
  private dropOlderOnceSynced(done?: () => void): void {
    const { segment } = this;
    segment?.sync((error) => {
      // Another one has taken its place, or the disk cannot be written: what is older waits for the next.
      if (this.segment !== segment) return;
      if (error !== null) return this.failed(error);
      done?.();
      this.recovered();
      void this.dropOlder(this.older.splice(0));
    });
  }

  /** Nothing can be written: whoever waits is told, nothing new is taken in, until it works again. */
  private failed(error: unknown): void {
    const { segment } = this;
    const first = !this.failing;
    this.segment = this.feed = null;
    // One that should have made things good again has nothing that another would need.
    if (!first) return segment === null ? undefined : this.discard(segment);
    if (segment !== null) {
      segment.markHoles();
      this.older.push(segment.path);
      this.olderBytes += segment.bytes;
      segment.close();
    }
    this.metrics.failures.add();
    const failure: WaitFailure = {
      pushError: 'JOURNAL_FAILED',
      reason: 'the journal is not writable',
    };
    this.clearObstacle = this.journal.obstruct(failure);
    this.bar.fail(this.journal.newest, failure);
    const told = { reason: messageOf(error), folder: this.options.folder };
    this.log.error(told, 'the journal cannot be written: pushes and requests are refused');
    this.cancelRetry = this.clock.every(RETRY_MS, () => this.retry());
  }

  /** Removes one that is worth nothing; where the disk refuses that too, it goes with those that are dropped next. */
  private discard(segment: LogSegment): void {
    if (!segment.removeIfPossible()) this.older.push(segment.path);
  }

  private retry(): void {
    if (this.segment !== null) return;
    try {
      this.startSegment(true);
    } catch {
      return;
    }
    this.soon();
  }

  private recovered(): void {
    if (this.clearObstacle === null) return;
    this.clearObstacle();
    this.clearObstacle = null;
    this.cancelRetry?.();
    this.journal.flush();
    this.bar.raise(this.journal.newest);
    this.log.warn({ folder: this.options.folder }, 'the journal is whole again');
  }

  /** The newest segment is on disk, and holds everything. */
  private async dropOlder(paths: readonly string[]): Promise<void> {
    try {
      await syncDirectory(this.options.folder);
      for (const path of paths) rmSync(path, { force: true });
      this.olderBytes = 0;
    } catch (error) {
      // They go with those that are dropped next.
      this.older.unshift(...paths);
      this.log.warn({ reason: messageOf(error) }, 'old segments of the journal stay');
    }
  }
}
