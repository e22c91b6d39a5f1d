/** Parts that a window is counted in: what leaves it leaves in steps of 2 %. */
const PARTS = 50;

/** Counts events over the last so many ms, in a ring of parts: adding one is two additions. */
export class SlidingWindow {
  /** One part more than the window has, so that the whole window is always covered. */
  private readonly counts = new Uint32Array(PARTS + 1);
  private readonly partMs: number;
  private total = 0;
  /** The part that time is in now, counted from time 0. */
  private newest = 0;

  /** @param window length in ms. */
  constructor(window: number) {
    this.partMs = window / PARTS;
  }

  /** Counts one unless there were `limit` in the window already. @returns whether it was counted. */
  tryAdd(now: number, limit: number): boolean {
    this.moveTo(now);
    if (this.total >= limit) return false;
    this.total++;
    (this.counts[this.newest % this.counts.length] as number)++;
    return true;
  }

  /** Events per second over the window that ends at `now`. */
  rate(now: number): number {
    this.moveTo(now);
    return (this.total * 1000) / (now - (this.newest - PARTS) * this.partMs);
  }

  private moveTo(now: number): void {
    const part = Math.floor(now / this.partMs);
    if (part <= this.newest) return;
    const { length } = this.counts;
    for (let passed = Math.min(part - this.newest, length); passed > 0; passed--) {
      const slot = (part - passed + 1) % length;
      this.total -= this.counts[slot] as number;
      this.counts[slot] = 0;
    }
    this.newest = part;
  }
}
