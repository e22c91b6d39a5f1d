/** How the planned switch goes that this gateway was asked for, or asked its primary for, last. */
export class PlannedSwitch {
  private begun = false;
  private reason = '';
  private failed = 0;
  /** What the primary counted when it was asked. */
  private peerFailed = Infinity;

  /** Asked for, and neither failed nor over. */
  get underWay(): boolean {
    return this.begun;
  }

  /** Why it did not come about; empty while it is under way, and after it did. */
  get failure(): string {
    return this.reason;
  }

  /** Those that did not come about since the process began. */
  get failures(): number {
    return this.failed;
  }

  /** @param peerFailed on a backup: what its primary counts so far; more of them mean that it refused. */
  begin(peerFailed = Infinity): void {
    this.begun = true;
    this.reason = '';
    this.peerFailed = peerFailed;
  }

  fail(reason: string): void {
    this.begun = false;
    this.reason = reason;
    this.failed++;
  }

  /** On a backup: what its primary reports. @returns whether it refused what it was asked for. */
  hear(peerFailed: number, reason: string): boolean {
    const refused = this.begun && peerFailed > this.peerFailed;
    if (refused) this.fail(reason);
    return refused;
  }

  /** The role has changed, by it or by something that came before it. */
  end(): void {
    this.begun = false;
    this.reason = '';
  }
}
