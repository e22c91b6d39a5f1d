/** What an operator should know of the configuration, as long as it stands; one line each. */
export class StandingWarnings {
  private loaded: readonly string[];
  private waiting: readonly string[] = [];

  /**
   * @param loaded what loading the configuration found.
   * @param permanent what only a restart can change.
   */
  constructor(
    loaded: readonly string[],
    private readonly permanent: readonly string[],
  ) {
    this.loaded = loaded;
  }

  /** After a reload: what loading found this time, and the keys that differ and are not in force. */
  reloaded(loaded: readonly string[], waiting: readonly string[]): void {
    this.loaded = loaded;
    this.waiting = waiting;
  }

  lines(): string[] {
    const lines = [...this.loaded, ...this.permanent];
    if (this.waiting.length > 0) {
      lines.push(`changed since the start, and wait for a restart: ${this.waiting.join(', ')}`);
    }
    return lines;
  }
}
