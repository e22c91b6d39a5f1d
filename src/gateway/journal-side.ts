import { existsSync, readFileSync } from 'node:fs';
import type { Clock } from '../base/clock.js';
import type { Config } from '../config/config.js';
import { DiskLog } from '../journal/disk-log.js';
import { readLog } from '../journal/disk-log-reader.js';
import type { RecoveredLog } from '../journal/disk-log-reader.js';
import { JournalWriter } from '../journal/journal-writer.js';
import { LogLock } from '../journal/log-lock.js';
import type { ZoneRouter } from '../routing/zone-router.js';
import type { Parity } from '../session/number-jump.js';
import type { SessionService } from '../session/session-service.js';
import type { JournalMetrics } from '../telemetry/journal-metrics.js';
import type { Logger } from '../telemetry/log.js';
import type { StateRecord } from '../wire/messages.js';

/** Changes with every boot of the machine; a container sees that of its host. */
const BOOT_ID_FILE = '/proc/sys/kernel/random/boot_id';

/** To which multiples the numbers of a gateway alone jump. */
const LONE_GATEWAY: Parity = 'odd';

/** The journal as the configuration wants it: what is written down, and the log on disk behind it. */
export class JournalSide {
  /** Null where nothing is written down; then it costs nothing. */
  readonly writer: JournalWriter | null;
  private readonly folder: string | null;
  private readonly lock: LogLock | null;
  private disk: DiskLog | null = null;
  private foundDamaged = false;

  constructor(
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly log: Logger,
    private readonly metrics: JournalMetrics,
  ) {
    this.folder = config.journal.path;
    const writes = this.folder !== null || config.backup.enabled;
    this.writer = writes ? new JournalWriter(clock) : null;
    this.lock = this.folder === null ? null : new LogLock(this.folder);
  }

  /** Runs before sockets are written to: what was done is on disk before anyone hears of it. */
  readonly flush = (): void => {
    this.writer?.flush();
  };

  /** Whether there is a log on disk. */
  get onDisk(): boolean {
    return this.folder !== null;
  }

  /** Whether it can be written, where it should be on disk. */
  get isHealthy(): boolean {
    return this.disk?.failing !== true;
  }

  /** What an operator should know, one line each. */
  warnings(): string[] {
    const found: string[] = [];
    if (this.foundDamaged) {
      found.push('the journal was damaged, and what came behind that is lost: the log says more');
    }
    if (!this.isHealthy) {
      found.push('the journal cannot be written: pushes and requests are refused until it can');
    }
    return found;
  }

  /**
   * Reads what the log of the last process holds.
   * @param records everything as a snapshot, for the log that is written from here on.
   * @returns null where there is no log. One beside a state file is not complete: that was left by a process
   *   without a journal, for one with a journal writes none.
   * @throws {StartupError} where another process has it, or it cannot be read.
   */
  async recover(records: () => Iterable<StateRecord>): Promise<RecoveredLog | null> {
    this.writer?.describe(records);
    if (this.folder === null) return null;
    await this.lock?.acquire();
    const found = await readLog(this.folder, bootId());
    if (found === null) return null;
    const { image, complete, damaged, cutBytes } = found;
    const told = { sessions: image.sessionCount, complete, cutBytes, folder: this.folder };
    this.foundDamaged = damaged;
    if (damaged) this.log.error(told, 'the journal is damaged: what came behind that is lost');
    else this.log.info(told, 'the journal of the last process was read');
    return this.isOutdated() ? { ...found, complete: false } : found;
  }

  /** Gives sessions and routing of a gateway without a peer what its log held. */
  restore(found: RecoveredLog, sessions: SessionService, router: ZoneRouter): void {
    const { image, complete } = found;
    const upstreams = router.restore(image.records());
    const count = sessions.archive.restore(image.records(), complete ? null : LONE_GATEWAY);
    this.writer?.continueFrom(image.position);
    const told = { sessions: count, upstreams, folder: this.folder };
    if (complete) {
      this.log.info(told, 'sessions of the last process are back from the journal');
    } else {
      this.log.warn(told, 'the journal may lack its end: sessions are back, push numbers jump');
    }
  }

  /** Whether a state file is there, which the log knows nothing of. */
  private isOutdated(): boolean {
    const { stateFile } = this.config.server;
    if (stateFile === null || !existsSync(stateFile)) return false;
    this.log.warn(
      { stateFile },
      'the state file is newer than the journal and takes its place, if it is whole',
    );
    return true;
  }

  /** Another history takes the place of what was written down. */
  rewrite(): void {
    this.disk?.rewrite();
  }

  /** Sessions gave way to an image of them, or the other way round: the history is the same. */
  restartSnapshot(): void {
    this.disk?.restartSnapshot();
  }

  /**
   * Writes down everything from here on. Before anyone is served.
   * @param whole false where what was recovered may lack its end, and numbers did not jump for that yet.
   * @throws {StartupError}
   */
  async begin(whole = true): Promise<void> {
    const { folder, writer, config } = this;
    if (folder === null || writer === null) return;
    const options = { folder, fsync: config.journal.fsync, bootId: bootId() };
    this.disk = new DiskLog(writer, options, this.clock, this.log, this.metrics);
    await this.disk.begin(whole);
  }

  /** Ends the log gracefully: the next start knows that nothing is missing. */
  stop(): void {
    this.disk?.stop();
    this.lock?.release();
  }
}

function bootId(): string {
  try {
    return readFileSync(BOOT_ID_FILE, 'latin1').trim().slice(0, 36);
  } catch {
    return '';
  }
}
