import type { Frame } from '../../../wire/frame-encoder.js';
import type { Answer } from './payload.js';

/** How a request ends, told once. */
export interface RequestOutcome {
  resolve(answer: Answer): void;
  reject(error: Error): void;
}

/** One request from the call until its answer, or until nobody needs its number any more. */
export class PendingRequest {
  /** Its place in the session, 0 until it is first sent. */
  seq = 0;
  /** The bytes that are sent, and sent again after a resume, unchanged. Set with `seq`. */
  frame: Frame | null = null;
  /** Times the gateway refused it without consuming its number. */
  misnumbered = 0;
  /** Times it was refused unexecuted and put back under a new number. */
  retries = 0;
  private outcome: RequestOutcome | null;

  constructor(
    public msgId: number,
    readonly action: string,
    readonly payload: Uint8Array,
    readonly headers: Readonly<Record<string, string>>,
    outcome: RequestOutcome,
  ) {
    this.outcome = outcome;
  }

  /** Whether the caller still waits; a request given up keeps its number until the gateway has seen it. */
  get wanted(): boolean {
    return this.outcome !== null;
  }

  get sent(): boolean {
    return this.seq !== 0;
  }

  resolve(answer: Answer): void {
    const outcome = this.outcome;
    this.outcome = null;
    outcome?.resolve(answer);
  }

  reject(error: Error): void {
    const outcome = this.outcome;
    this.outcome = null;
    outcome?.reject(error);
  }
}
