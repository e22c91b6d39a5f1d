/**
 * A planned switch on the primary (REPLICATION.md): first it falls silent, so that everything can be
 * shipped, then its heartbeats offer. Only the backup's answer, or its loss, ends an offer.
 */
export class HandOver {
  private step: 'none' | 'silent' | 'offered' = 'none';

  /** Nothing may be accepted or sent. */
  get begun(): boolean {
    return this.step !== 'none';
  }

  /** Heartbeats say so, and the backup may have taken over. */
  get offered(): boolean {
    return this.step === 'offered';
  }

  begin(): void {
    this.step = 'silent';
  }

  /** Second step; nothing happens where the first was taken back. */
  offer(): void {
    if (this.step === 'silent') this.step = 'offered';
  }

  /** Serves again: allowed as long as nothing was offered. */
  withdraw(): void {
    if (this.step === 'silent') this.step = 'none';
  }

  end(): void {
    this.step = 'none';
  }
}
