/**
 * The backup as its primary knows it, by boot ids: which process has caught up, which ones were told that
 * they are in sync, and which said goodbye. A process that was told may promote until the primary is solo.
 */
export class ToldStandby {
  private caught = 0;
  private highestTold = 0;
  private knowing = 0;
  private left = 0;

  /** Boot id of the standby that has caught up, 0 for none. */
  get caughtUp(): number {
    return this.caught;
  }

  /** Boot id of the standby that said goodbye last. */
  get departed(): number {
    return this.left;
  }

  /** It has everything up to where the tail begins. */
  hasCaughtUp(boot: number): void {
    if (boot !== this.left) this.caught = boot;
  }

  /** It has caught up and has answered that it was told so: it takes over where this primary dies now. */
  get mayTakeOver(): boolean {
    return this.caught !== 0 && this.knowing === this.caught;
  }

  /**
   * An answer of this process has come: what another one had counts no more.
   * @param inSync it says that it may take over.
   */
  answered(boot: number, inSync: boolean): void {
    if (boot !== this.caught) this.caught = 0;
    this.knowing = inSync ? boot : 0;
  }

  /** @returns whom a word that leaves now declares in sync: from here on that process may promote. */
  tell(): number {
    this.highestTold = Math.max(this.highestTold, this.caught);
    return this.caught;
  }

  /**
   * Whether this process began after every one that was told: boot ids count up, one per start, and a
   * node runs one process at a time, so that those are no more.
   */
  outlives(boot: number): boolean {
    return boot > this.highestTold;
  }

  hasLeft(boot: number): void {
    this.left = boot;
  }

  /** Another gateway has taken the place of the backup: boot ids of the former say nothing of it. */
  replaced(): void {
    this.caught = this.highestTold = this.knowing = this.left = 0;
  }

  /** Another role, or alone: whoever is there must catch up again. */
  forget(): void {
    this.caught = 0;
  }
}
