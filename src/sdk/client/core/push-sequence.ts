import { NUMBER_JUMP } from '../../../wire/limits.js';

/** What to do with a sequenced frame: hand it on, drop it as seen, or treat it as proof of a loss. */
export type Arrival = 'deliver' | 'duplicate' | 'gap';

/**
 * The downstream numbers of a session (docs/SESSIONS.md, "Downstream: answers and pushes"): every sequenced frame
 * is the one after the last, over all connections; anything else is a repeat or a loss. Where a standby took
 * over, numbers jump to a multiple of NUMBER_JUMP behind what it knew, also in the midst of what it sends again.
 */
export class PushSequence {
  private received = 0;
  private next = 0;
  private gapAt = 0;

  /** The highest number really received, over all incarnations: last_acked_seq_id of the next START. */
  get highest(): number {
    return this.received;
  }

  /** The number that must come next, 0 while any may come. */
  get expected(): number {
    return this.next;
  }

  /** A former process of this client received everything up to this number. */
  restore(seq: number): void {
    this.received = seq;
  }

  /**
   * A connection has started.
   * @param nextPushSeq next_push_seq of its START_RESP; 0 from a gateway that does not tell.
   * @param resumed whether the numbers continue those of the last connection.
   */
  begin(nextPushSeq: number, resumed: boolean): void {
    // A gateway that has forgotten everything may begin below what an earlier one had sent.
    if (!resumed && nextPushSeq > 0) this.received = Math.min(this.received, nextPushSeq - 1);
    if (nextPushSeq > 0) this.next = nextPushSeq;
    else this.next = resumed && this.received > 0 ? this.received + 1 : 0;
  }

  /** Judges a frame with this number (above 0) and, unless it is a gap, counts it as received. */
  accept(seq: number): Arrival {
    const duplicate = seq <= this.received || seq < this.next;
    if (duplicate) {
      if (seq === this.next) this.next++;
      return 'duplicate';
    }
    if (this.next !== 0 && seq > this.next && seq % NUMBER_JUMP !== 0) return 'gap';
    this.take(seq);
    return 'deliver';
  }

  /**
   * Decides about a gap: true, ask for the missing frames by a resume; false, that was tried at this
   * very place before, so `seq` counts as received and what is missing as lost.
   */
  mayRecover(seq: number): boolean {
    if (this.gapAt !== this.next) {
      this.gapAt = this.next;
      return true;
    }
    this.take(seq);
    return false;
  }

  private take(seq: number): void {
    this.received = seq;
    this.next = seq + 1;
    this.gapAt = 0;
  }
}
