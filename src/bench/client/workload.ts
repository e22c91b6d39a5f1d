import type { LoadObserver, LoadSession } from './load-session.js';
import type { Arrival, Extent, LoopResult } from './work-loop.js';
import type { Timings } from './timings.js';

/** Work of one kind that sessions can be given, and that says whether it was really done. */
export interface Workload extends LoadObserver {
  /** Of the run so far; emptied when the next begins. */
  readonly timings: Timings;
  /** How much of the present run is over, 0 to 1. */
  readonly share: number;
  /** Pieces done in the present run. */
  readonly done: number;
  /**
   * Does work until the extent is reached and all of it is done. Runs follow each other: a first one
   * warms up.
   * @throws {WorkNotDone} where any of it was not done, or not rightly.
   */
  run(arrival: Arrival, extent: Extent): Promise<LoopResult>;
  /** What was checked, for people: `12 answers, every byte compared`. */
  verified(): string;
}

/** A piece of work that is under way. */
export interface Piece {
  readonly session: LoadSession;
  /** Number of the piece within its session or run. */
  readonly number: number;
  readonly dueAt: number;
  readonly begunAt: number;
}
