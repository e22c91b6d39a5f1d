import { FaultBook } from './fault-book.js';
import type { LoadSession } from './load-session.js';
import { Timings } from './timings.js';
import { WorkLoop } from './work-loop.js';
import type { Arrival, BeginWork, Extent, LoopResult } from './work-loop.js';

/** How long a run listens after its last piece for what should not come, ms. */
const AFTERMATH_MS = 200;

/** One kind of work, as its runs see it. */
export interface Work {
  readonly begin: BeginWork;
  /** What to say of pieces that were begun and of which nothing more was heard. */
  readonly lost: (pieces: number) => string;
  /** Whether more may come than was begun, so that a run listens on after its last piece. */
  readonly mayRepeat: boolean;
}

/** Runs of one kind of work that follow each other: timed, and each void at the first fault. */
export class VerifiedRuns {
  /** Of the run so far; emptied when the next begins. */
  readonly timings = new Timings();
  readonly faults = new FaultBook(() => this.loop?.abort());
  private loop: WorkLoop | null = null;
  private right = 0;

  constructor(private readonly work: Work) {}

  /** How much of the present run is over, 0 to 1. */
  get share(): number {
    return this.loop?.share ?? 0;
  }

  /** Pieces done in the present run. */
  get done(): number {
    return this.loop?.done ?? 0;
  }

  /** How many times something was found right in the present run. */
  get verified(): number {
    return this.right;
  }

  /** @throws {WorkNotDone} where anything was noted in this run, or since the one before. */
  async run(arrival: Arrival, extent: Extent): Promise<LoopResult> {
    const { begin, lost, mayRepeat } = this.work;
    this.faults.check();
    this.timings.reset();
    this.right = 0;
    this.loop = new WorkLoop(arrival, begin, (pieces) => this.faults.note(lost(pieces)));
    const result = await this.loop.run(extent);
    if (mayRepeat) await new Promise((resolve) => setTimeout(resolve, AFTERMATH_MS));
    this.faults.check();
    return result;
  }

  /** Something was looked at and is as it should be. */
  verify(): void {
    this.right++;
  }

  fault(session: LoadSession, reason: string): void {
    this.faults.note(reason, session.openid);
  }

  /** A piece of work is over: the next may begin. */
  pieceDone(): void {
    this.loop?.pieceDone();
  }
}
