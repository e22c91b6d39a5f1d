/** A received number that the application has not settled yet. */
export interface OpenNumber {
  readonly seq: number;
  readonly incarnation: number;
}

/**
 * Which sequenced frames the application has done with. Acknowledgements are cumulative, so only the
 * number before the oldest open one may be acknowledged.
 */
export class SettledNumbers {
  /** Ascending, for numbers are received in order. */
  private readonly open = new Set<number>();
  private highest = 0;
  private incarnation = 0;

  /** Every number up to this one is received and settled. */
  get upTo(): number {
    for (const oldest of this.open) return oldest - 1;
    return this.highest;
  }

  /** Starts over at `seq`: what was open belongs to a session that is no more. */
  restart(seq: number): void {
    this.open.clear();
    this.highest = seq;
    this.incarnation++;
  }

  /** The next number was received and needs nobody to settle it. */
  pass(seq: number): void {
    this.highest = Math.max(this.highest, seq);
  }

  /** The next number was received; `settle` follows. */
  receive(seq: number): OpenNumber {
    this.pass(seq);
    this.open.add(seq);
    return { seq, incarnation: this.incarnation };
  }

  settle({ seq, incarnation }: OpenNumber): void {
    if (incarnation === this.incarnation) this.open.delete(seq);
  }
}
