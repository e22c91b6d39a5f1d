/**
 * A planned switch on the primary (REPLICATION.md): first it falls silent, so that everything can be
 * shipped, then its heartbeats offer. Only the backup's answer to the last offer, or its loss, ends it.
 */
export class HandOver {
  private step: 'none' | 'silent' | 'offered' = 'none';
  /** Sequence of the last heartbeat that offered. */
  private lastOffer = Number.POSITIVE_INFINITY;

  /** Nothing may be accepted or sent. */
  get begun(): boolean {
    return this.step !== 'none';
  }

  /** Heartbeats say so, and the backup may have taken over: nothing may be numbered here. */
  get offered(): boolean {
    return this.step === 'offered';
  }

  begin(): void {
    this.step = 'silent';
  }

  /** Second step. @returns false where the first was taken back: nothing is offered then. */
  offer(): boolean {
    if (this.step !== 'silent') return false;
    this.step = 'offered';
    this.lastOffer = Number.POSITIVE_INFINITY;
    return true;
  }

  /** A heartbeat leaves. @returns whether it offers. */
  speaks(sequence: number): boolean {
    if (this.offered) this.lastOffer = sequence;
    return this.offered;
  }

  /**
   * Whether the backup, which answered this heartbeat as a backup, will not take over. A later offer may
   * be on its way: what lacked for the former may be there when that one arrives.
   */
  declinedBy(sequence: number): boolean {
    return this.offered && sequence >= this.lastOffer;
  }

  /** Serves again: allowed as long as nothing was offered. */
  withdraw(): void {
    if (this.step === 'silent') this.step = 'none';
  }

  end(): void {
    this.step = 'none';
  }
}
