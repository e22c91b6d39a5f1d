const TICK_MS = 20;

/** So late this process must have been, all in all, before what it did counts for nothing, ms. */
const HARMFUL_MS = 300;

/** A test that fails each time is a test that fails. */
const MOST_RUNS = 10;

/** How long this process stood still. */
class Lateness {
  private before = 0;
  private tickedAt = performance.now();
  private readonly timer = setInterval(() => {
    this.before = this.ms;
    this.tickedAt = performance.now();
  }, TICK_MS);

  get ms(): number {
    return this.before + Math.max(0, performance.now() - this.tickedAt - TICK_MS);
  }

  stop(): void {
    clearInterval(this.timer);
  }
}

/**
 * Runs a test, and again where it failed while this process stood still. For products that give their
 * peer a second of real time (LINGER_MS): where the peer is in this process too, that second passes
 * before it can do anything. A failure without such a pause is a failure.
 */
export async function undisturbed(run: () => Promise<void>): Promise<void> {
  for (let runs = 1; ; runs++) {
    const lateness = new Lateness();
    try {
      return await run();
    } catch (error) {
      if (runs === MOST_RUNS || lateness.ms < HARMFUL_MS) throw error;
    } finally {
      lateness.stop();
    }
  }
}
