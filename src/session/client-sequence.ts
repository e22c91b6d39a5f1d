import { MAX_HOLES } from '../journal/limits.js';
import { MAX_CLIENT_SEQ } from '../wire/limits.js';

/**
 * What a business frame's number means (docs/SESSIONS.md, "Upstream: requests"):
 * next - the one expected, or an allowed jump; repeat - was accepted before; skipped - a jump went
 * over it; gap - above the expected one; below - under the base; zero - business frames start at 1;
 * beyond - above MAX_CLIENT_SEQ.
 */
export type SequenceVerdict = 'next' | 'repeat' | 'skipped' | 'gap' | 'below' | 'zero' | 'beyond';

/** Whether a business frame may have this number at all. */
export function isClientSeq(seq: number): boolean {
  return seq > 0 && seq <= MAX_CLIENT_SEQ;
}

/** Numbers skipped by one jump, both ends included. */
export interface Hole {
  readonly from: number;
  readonly to: number;
}

/** The client's own numbering of its business frames, per incarnation. */
export class ClientSequence {
  private base = 0;
  private expected = 0;
  private holes: Hole[] = [];

  /** The number the next frame must have; 0 while any may come. */
  get next(): number {
    return this.expected;
  }

  /** Judges a number without consuming it. */
  judge(seq: number, mayJump: boolean): SequenceVerdict {
    if (!isClientSeq(seq)) return seq === 0 ? 'zero' : 'beyond';
    if (this.base === 0 || seq === this.expected) return 'next';
    if (seq > this.expected) return mayJump ? 'next' : 'gap';
    if (seq < this.base) return 'below';
    return this.isSkipped(seq) ? 'skipped' : 'repeat';
  }

  /** Consumes a number that was judged `next`. */
  consume(seq: number): void {
    if (this.base === 0) {
      this.base = seq;
    } else if (seq > this.expected) {
      this.holes.push({ from: this.expected, to: seq - 1 });
      if (this.holes.length > MAX_HOLES) this.holes.shift();
    }
    this.expected = seq + 1;
  }

  private isSkipped(seq: number): boolean {
    return this.holes.some((hole) => seq >= hole.from && seq <= hole.to);
  }

  /** What a snapshot keeps. */
  snapshot(): { base: number; next: number; holes: readonly Hole[] } {
    return { base: this.base, next: this.expected, holes: this.holes };
  }

  restore(snapshot: { base: number; next: number; holes: readonly Hole[] }): void {
    this.base = snapshot.base;
    this.expected = snapshot.next;
    this.holes = [...snapshot.holes];
  }
}
