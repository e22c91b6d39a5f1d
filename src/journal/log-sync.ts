import type { Cancel, Clock } from '../base/clock.js';
import type { LogSegment } from './log-segment.js';
import type { ThresholdBar } from './threshold.js';

/**
 * When the log is brought to the disk itself (what is written survives a kill in any case):
 * never - when the system sees fit; interval - every second; always - before success is said.
 */
export type FsyncPolicy = 'never' | 'interval' | 'always';

/** Of the policy `interval`, ms. */
const INTERVAL_MS = 1_000;

/** Syncs the log by its policy and tells what is settled. One sync at a time serves all that was written. */
export class LogSync {
  private segment: () => LogSegment | null = () => null;
  private writtenTo = 0;
  private syncedTo = 0;
  private syncing = false;
  /** Counts histories: a sync that ends in another one tells nothing. */
  private history = 0;
  private cancel: Cancel | null = null;

  constructor(
    private readonly policy: FsyncPolicy,
    private readonly clock: Clock,
    private readonly bar: ThresholdBar,
    private readonly onFailed: (error: Error) => void,
  ) {}

  /** @param segment the one that is written now. */
  start(segment: () => LogSegment | null): void {
    this.segment = segment;
    if (this.policy === 'interval') this.cancel = this.clock.every(INTERVAL_MS, () => this.sync());
  }

  stop(): void {
    this.cancel?.();
    this.segment = () => null;
  }

  /** The log holds another history, synced up to here. */
  restart(position: number): void {
    this.history++;
    this.writtenTo = this.syncedTo = position;
    this.bar.restart(position);
  }

  /** Everything up to `position` was written. */
  written(position: number): void {
    this.writtenTo = position;
    if (this.policy === 'always') this.sync();
    else this.bar.raise(position);
  }

  private sync(): void {
    const segment = this.segment();
    if (this.syncing || segment === null || this.syncedTo >= this.writtenTo) return;
    this.syncing = true;
    const { history, writtenTo: position } = this;
    segment.sync((error) => {
      this.syncing = false;
      // Another segment took its place meanwhile: it was synced before that, or failed.
      if (error !== null && segment === this.segment()) return this.onFailed(error);
      if (error === null && history === this.history) {
        this.syncedTo = position;
        if (this.policy === 'always') this.bar.raise(position);
      }
      if (this.policy === 'always') this.sync();
    });
  }
}
