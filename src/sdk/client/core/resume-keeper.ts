import type { Clock } from '../../../base/clock.js';
import { messageOf } from '../../../base/errors.js';
import { ResumeStoreError, readResumeState } from './resume-store.js';
import type { ResumeState, ResumeStore } from './resume-store.js';

/** A save that takes longer counts as failed: connect(), stop() and acknowledgements wait for it. */
const SAVE_PATIENCE_MS = 5_000;

/**
 * Reads and writes a client's ResumeStore: one call at a time, in order. A store that fails costs the
 * promises for a restart, not the service: it is reported, and the client goes on.
 */
export class ResumeKeeper {
  private tail: Promise<void> = Promise.resolve();
  private failing = false;
  /** A call of `save` took too long and is still under way: no other may begin. */
  private hanging = false;
  private newest: ResumeState | null = null;
  private skipped = false;

  /** @param report hears of a store that fails, once until it works again. */
  constructor(
    private readonly store: ResumeStore,
    private readonly clock: Clock,
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

  /** Resolves when this state, or the attempt to keep it, is done with or takes too long. Never rejects. */
  save(state: ResumeState | null): Promise<void> {
    this.newest = state;
    this.tail = this.tail.then(() => this.write(state));
    return this.tail;
  }

  private write(state: ResumeState | null): Promise<void> {
    if (this.hanging) {
      this.skipped = true;
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const cancel = this.clock.after(SAVE_PATIENCE_MS, () => {
        this.hanging = true;
        this.failed(new Error(`no answer within ${SAVE_PATIENCE_MS} ms`));
        resolve();
      });
      void this.attempt(state).then(() => {
        cancel();
        resolve();
        if (this.hanging) this.catchUp();
      });
    });
  }

  /** The call that hung has ended: what came meanwhile is written, as far as it is still true. */
  private catchUp(): void {
    this.hanging = false;
    if (!this.skipped) return;
    this.skipped = false;
    void this.save(this.newest);
  }

  private async attempt(state: ResumeState | null): Promise<void> {
    try {
      await this.store.save(state);
      this.failing = false;
    } catch (error) {
      this.failed(error);
    }
  }

  private failed(cause: unknown): void {
    if (this.failing) return;
    this.failing = true;
    const what = 'the session cannot be stored, a restart would lose it';
    this.report(new ResumeStoreError(`${what}: ${messageOf(cause)}`, { cause }));
  }
}
