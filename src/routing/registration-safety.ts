import type { JournalWriter } from '../journal/journal-writer.js';
import type { WaitFailure } from '../journal/threshold.js';
import type { RegistryFile } from './registry-file.js';

/** The part of the journal that tells when an entry is safe. */
export type SettlingJournal = Pick<JournalWriter, 'newest' | 'settled' | 'obstacle'>;

/** Hears that a change is safe (null), or why that is not known. */
export type SafetyHeard = (failure: WaitFailure | null) => void;

/**
 * Tells when a change of the registrations is where it survives this process: in the registry file, and
 * as safe in the journal as a push that is answered with success.
 */
export class RegistrationSafety {
  constructor(
    private readonly file: RegistryFile | null,
    private readonly journal: SettlingJournal | null,
  ) {}

  /**
   * The table has changed, and the journal has the entry.
   * @param done called once, possibly before this returns. After a failure the change holds here all the same.
   */
  whenSafe(done: SafetyHeard): void {
    let left = 2;
    let failure: WaitFailure | null = null;
    const heard: SafetyHeard = (why) => {
      failure ??= why;
      if (--left === 0) done(failure);
    };
    this.whenSettled(heard);
    if (this.file === null) heard(null);
    else this.file.changed(() => heard(null));
  }

  private whenSettled(heard: SafetyHeard): void {
    const { journal } = this;
    const obstacle = journal?.obstacle ?? null;
    // Nobody fails a second time what comes while the disk, or the standby, is known not to take it.
    if (journal === null || obstacle !== null) return heard(obstacle);
    const { newest, settled } = journal;
    if (newest <= settled.position) return heard(null);
    settled.wait(newest, { onReached: () => heard(null), onFailed: heard });
  }
}
