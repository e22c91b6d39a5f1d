/** How the planned switch goes that this gateway was asked for, or asked its primary for, last. */
export class PlannedSwitch {
  private begun = false;
  private reason = '';

  /** Asked for, and neither failed nor over. */
  get underWay(): boolean {
    return this.begun;
  }

  /** Why it did not come about; empty while it is under way, and after it did. */
  get failure(): string {
    return this.reason;
  }

  begin(): void {
    this.begun = true;
    this.reason = '';
  }

  fail(reason: string): void {
    this.begun = false;
    this.reason = reason;
  }

  /** The role has changed, by it or by something that came before it. */
  end(): void {
    this.begun = false;
    this.reason = '';
  }
}
