import { FaultBook } from './fault-book.js';
import type { LoadSession } from './load-session.js';
import { Timings } from './timings.js';
import { WorkLoop } from './work-loop.js';
import type { Arrival, Extent, LoopResult } from './work-loop.js';
import type { Workload } from './workload.js';

/** How long a run listens after its last piece for what should not come, ms. */
const AFTERMATH_MS = 200;

/** Work whose runs follow each other: timed, and each void at the first fault. */
export abstract class VerifiedWorkload implements Workload {
  readonly timings = new Timings();
  protected readonly faults = new FaultBook(() => this.loop?.abort());
  private loop: WorkLoop | null = null;
  private right = 0;

  /** @param mayRepeat whether more may come than was begun, so that a run listens on after its last piece. */
  constructor(private readonly mayRepeat: boolean) {}

  get share(): number {
    return this.loop?.share ?? 0;
  }

  get done(): number {
    return this.loop?.done ?? 0;
  }

  /** How many times something was found right in the present run. */
  protected get rightCount(): number {
    return this.right;
  }

  async run(arrival: Arrival, extent: Extent): Promise<LoopResult> {
    this.faults.check();
    this.timings.reset();
    this.right = 0;
    this.loop = new WorkLoop(
      arrival,
      (dueAt) => this.begin(dueAt),
      (pieces) => this.faults.note(this.lost(pieces)),
    );
    const result = await this.loop.run(extent);
    if (this.mayRepeat) await new Promise((resolve) => setTimeout(resolve, AFTERMATH_MS));
    this.faults.check();
    return result;
  }

  abstract verified(): string;

  abstract onAnswer(session: LoadSession, msgId: number, data: Uint8Array): void;

  onFault(session: LoadSession, reason: string): void {
    this.faults.note(reason, session.openid);
  }

  /** Begins a piece of work, if there is room for one. @returns whether it did. */
  protected abstract begin(dueAt: number): boolean;

  /** What to say of pieces that were begun and of which nothing more was heard. */
  protected abstract lost(pieces: number): string;

  /** Something was looked at and is as it should be. */
  protected verify(): void {
    this.right++;
  }

  /** Nothing is over, but the next piece may begin. */
  protected roomFreed(): void {
    this.loop?.roomFreed();
  }

  /** A piece of work is over: the next may begin. */
  protected pieceDone(): void {
    this.loop?.pieceDone();
  }
}
