import { messageOf } from '../../../base/errors.js';
import { ResumeStoreError, readResumeState } from './resume-store.js';
import type { ResumeState, ResumeStore } from './resume-store.js';

/**
 * Reads and writes a client's ResumeStore: one call at a time, in order. A store that fails costs the
 * promises for a restart, not the service: it is reported, and the client goes on.
 */
export class ResumeKeeper {
  private tail: Promise<void> = Promise.resolve();
  private failing = false;

  /** @param report hears of a store that fails, once until it works again. */
  constructor(
    private readonly store: ResumeStore,
    private readonly report: (error: ResumeStoreError) => void,
  ) {}

  /** @returns the session of this openid to go on with, or null; `failed` was reported. Never rejects. */
  async load(openid: string): Promise<ResumeState | null | 'failed'> {
    try {
      const saved = (await this.store.load()) ?? null;
      if (saved === null) return null;
      const state = readResumeState(saved);
      return state.openid === openid ? state : null;
    } catch (error) {
      this.report(
        error instanceof ResumeStoreError
          ? error
          : new ResumeStoreError(
              `the stored session cannot be read: ${messageOf(error)}; starting a new one`,
              { cause: error },
            ),
      );
      return 'failed';
    }
  }

  /** Resolves when this state, or the attempt to keep it, is done with. Never rejects. */
  save(state: ResumeState | null): Promise<void> {
    this.tail = this.tail.then(() => this.write(state));
    return this.tail;
  }

  private async write(state: ResumeState | null): Promise<void> {
    try {
      await this.store.save(state);
      this.failing = false;
    } catch (error) {
      if (this.failing) return;
      this.failing = true;
      const what = 'the session cannot be stored, a restart would lose it';
      this.report(new ResumeStoreError(`${what}: ${messageOf(error)}`, { cause: error }));
    }
  }
}
