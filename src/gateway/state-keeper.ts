import { messageOf } from '../base/errors.js';
import type { Clock } from '../base/clock.js';
import { JournalImage } from '../journal/journal-image.js';
import { NumberCeilingFile, unlimitedCeiling } from '../journal/number-ceiling.js';
import type { NumberCeiling } from '../journal/number-ceiling.js';
import {
  DamagedStateError,
  readStateFile,
  removeStateFileNow,
  retireStateFile,
  writeStateFile,
} from '../journal/state-file.js';
import type { ZoneRouter } from '../routing/zone-router.js';
import type { SessionService } from '../session/session-service.js';
import type { Logger } from '../telemetry/log.js';
import { StateRecord } from '../wire/messages.js';
import type { JournalSide } from './journal-side.js';

/** Keeps what a graceful stop leaves in `server.state_file`, and the number ceiling beside it. */
export class StateKeeper {
  readonly ceiling: NumberCeiling;
  private readonly ceilingFile: NumberCeilingFile | null;
  private loaded = false;
  /** What became of a file that could not be used, or null. */
  private unused: string | null = null;

  /**
   * @param path null: nothing is kept.
   * @throws {StartupError} when the number ceiling is damaged.
   */
  constructor(
    private readonly path: string | null,
    private readonly log: Logger,
    clock: Clock,
  ) {
    this.ceilingFile = path === null ? null : new NumberCeilingFile(`${path}.ceiling`, log, clock);
    this.ceiling = this.ceilingFile ?? unlimitedCeiling;
  }

  /** What an operator should know, one line each. */
  warnings(): string[] {
    const found = this.unused === null ? [] : [this.unused];
    if (this.ceilingFile?.behind === true) {
      found.push('the number ceiling cannot be written: after a crash pushes could reuse numbers');
    }
    return found;
  }

  /** Nothing is written any more. */
  stop(): void {
    this.ceilingFile?.stop();
  }

  /**
   * What the last process of a gateway without a peer left: in the state file, which is newer where there is
   * one, or in the journal. Without a complete state numbers go on above the ceiling. `forget` must follow once
   * the gateway serves, for the file is stale from then on.
   */
  async recover(journal: JournalSide, sessions: SessionService, router: ZoneRouter): Promise<void> {
    const found = await journal.recover(function* () {
      yield* sessions.archive.snapshot();
      yield* router.registrations();
    });
    if (!(await this.load(sessions))) {
      if (found?.complete !== true) sessions.registry.raiseFloor(this.floor);
      if (found !== null) journal.restore(found, sessions, router);
    }
    await router.start();
  }

  /** Gives the sessions what the state file holds. @returns whether there was a whole one. */
  async load(sessions: SessionService): Promise<boolean> {
    if (this.path === null) return false;
    const records = await this.read(this.path);
    if (records === null) return false;
    const count = sessions.archive.restore(records);
    this.loaded = true;
    this.log.info({ sessions: count, file: this.path }, 'sessions of the last process are back');
    return true;
  }

  /** Removes the file that was loaded: the sessions are about to become newer than it is. */
  async forget(): Promise<void> {
    if (this.path !== null && this.loaded) await retireStateFile(this.path);
  }

  /** Above every number that a former process sent; 0 where nothing is kept. */
  get floor(): number {
    return this.path === null ? 0 : this.ceiling.value;
  }

  /** Whether the sessions hold what a file held. */
  get hasLoaded(): boolean {
    return this.loaded;
  }

  /**
   * Writes everything that remains. Pushes are refused from here on.
   * @throws {CodedError} where the disk does not take it; the log says so too.
   */
  async save(sessions: SessionService): Promise<void> {
    if (this.path === null) return;
    // What is accepted later would miss the file.
    sessions.pushes.close();
    await this.write(this.path, sessions.archive.snapshot());
    const count = sessions.registry.size;
    this.log.info({ sessions: count, file: this.path }, 'sessions are kept for the next start');
  }

  /**
   * What the last process of a gateway of a pair left. The file stays as long as the gateway waits, and
   * with it what a kill would take: `forgetImage` must come before it has anything newer.
   */
  async loadImage(): Promise<JournalImage | null> {
    if (this.path === null) return null;
    const records = await this.read(this.path);
    if (records === null) return null;
    const position = records[0]?.header?.position ?? 0;
    if (position === 0) return this.setAside(this.path, records);
    this.loaded = true;
    const image = new JournalImage();
    image.reset(position, records);
    this.log.info(
      { sessions: image.sessionCount, position },
      'the state of the last process is back',
    );
    return image;
  }

  /** As `forget`, within this turn, in which the role changes. A file that cannot be removed is told of. */
  forgetImage(): void {
    const { path, loaded } = this;
    if (path === null || !loaded) return;
    this.loaded = false;
    try {
      removeStateFileNow(path);
    } catch (error) {
      const told = { reason: messageOf(error), file: path };
      this.log.error(
        told,
        'the state file is out of date and must be removed before the next start',
      );
    }
  }

  /** Writes what a gateway of a pair holds. Whoever has the longer history goes on. */
  async saveImage(position: number, records: Iterable<StateRecord>): Promise<void> {
    if (this.path === null || position === 0) return;
    await this.write(this.path, withPosition(records, position));
    this.log.info({ position, file: this.path }, 'the state is kept for the next start');
  }

  /** A history has positions; what a gateway alone left has none that a peer could compare. */
  private async setAside(path: string, records: readonly StateRecord[]): Promise<null> {
    const aside = `${path}.lone`;
    await retireStateFile(path, aside);
    this.unused =
      'the state file is of a gateway without a peer, and was not used: the log says more';
    const sessions = records.filter(({ session }) => session).length;
    this.log.error(
      { sessions, aside },
      'the state file is of a gateway without a peer, and is not used: rename it back and start without backup.enabled to serve its sessions, else remove it',
    );
    return null;
  }

  private async write(path: string, records: Iterable<StateRecord>): Promise<void> {
    try {
      await writeStateFile(path, records);
    } catch (error) {
      const reason = messageOf(error);
      this.log.error(
        { reason },
        'the state file cannot be written, the next start lacks its sessions',
      );
      throw error;
    }
  }

  private async read(path: string) {
    try {
      return await readStateFile(path);
    } catch (error) {
      if (!(error instanceof DamagedStateError)) throw error;
      const aside = `${path}.damaged`;
      await retireStateFile(path, aside);
      this.unused =
        'the state file was damaged, sessions of the last process are lost: the log says more';
      this.log.error({ reason: error.message, aside }, 'sessions of the last process are lost');
      return null;
    }
  }
}

function* withPosition(
  records: Iterable<StateRecord>,
  position: number,
): IterableIterator<StateRecord> {
  for (const record of records) {
    const { header } = record;
    yield header ? new StateRecord({ header: { ...header, position } }) : record;
  }
}
