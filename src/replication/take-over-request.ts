/**
 * So many answers carry a request: one or two may be lost. Had it no end, a switch that fails would begin
 * again with every answer, and drain the clients of the primary each time.
 */
const ANSWERS = 3;

/** A backup's request that its primary hand over, until it was said often enough or has lost its sense. */
export class TakeOverRequest {
  private left = 0;

  make(): void {
    this.left = ANSWERS;
  }

  withdraw(): void {
    this.left = 0;
  }

  /** @returns whether the answer that leaves now carries it. */
  say(): boolean {
    if (this.left === 0) return false;
    this.left--;
    return true;
  }
}
