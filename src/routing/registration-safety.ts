import type { Clock } from '../base/clock.js';
import type { JournalWriter } from '../journal/journal-writer.js';
import type { WaitFailure } from '../journal/threshold.js';
import type { RegistryFile } from './registry-file.js';

/** The part of the journal that tells when an entry is safe. */
export type SettlingJournal = Pick<JournalWriter, 'newest' | 'settled' | 'obstacle'>;

/** Hears that a change is safe (null), or why that is not known. */
export type SafetyHeard = (failure: WaitFailure | null) => void;

/**
 * How long an answer waits for a standby that does not confirm, or a journal that cannot be written, ms: pairs come up
 * and standbys restart in less, and deployed upstreams, which register once, give up after some 5 s.
 */
const PATIENCE_MS = 3_000;
const LOOK_AGAIN_MS = 100;

/**
 * Tells when a change of the registrations is where it survives this process: in the registry file, and
 * as safe in the journal as a push that is answered with success.
 */
export class RegistrationSafety {
  constructor(
    private readonly file: RegistryFile | null,
    private readonly journal: SettlingJournal | null,
    private readonly clock: Clock,
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
    this.whenSettled(heard, this.clock.now() + PATIENCE_MS);
    if (this.file === null) heard(null);
    else this.file.changed(() => heard(null));
  }

  private whenSettled(heard: SafetyHeard, until: number): void {
    const { journal } = this;
    if (journal === null) return heard(null);
    const { newest, settled, obstacle } = journal;
    const lookAgain = (failure: WaitFailure): void => {
      if (this.clock.now() >= until) heard(failure);
      else this.clock.after(LOOK_AGAIN_MS, () => this.whenSettled(heard, until));
    };
    // Nobody fails a second time what comes while the disk, or the standby, is known not to take it.
    if (obstacle !== null) lookAgain(obstacle);
    else if (newest <= settled.position) heard(null);
    else settled.wait(newest, { onReached: () => heard(null), onFailed: lookAgain });
  }
}
