/** What an operator should know of the configuration, as long as it stands; one line each. */
export class StandingWarnings {
  private loaded: readonly string[];
  private waiting: readonly string[] = [];
  /** The last configuration that was to be loaded had problems. */
  private isRefused = false;

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
    this.isRefused = false;
  }

  /** A reload changed nothing, for its configuration had problems; stands until one has none. */
  refused(): void {
    this.isRefused = true;
  }

  lines(): string[] {
    const lines = [...this.loaded, ...this.permanent];
    if (this.waiting.length > 0) {
      lines.push(`changed since the start, and wait for a restart: ${this.waiting.join(', ')}`);
    }
    if (this.isRefused) {
      // A problem may quote a line of the file, and /health may be open to all: the log tells what.
      lines.push('configuration not reloaded, the old one stays in force: the log says why');
    }
    return lines;
  }
}
