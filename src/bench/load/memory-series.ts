/** Resident memory of a process over time. */
export class MemorySeries {
  readonly bytes: number[] = [];
  private readonly timer: NodeJS.Timeout;

  /** Reads it every so many ms until stop(). */
  constructor(
    read: () => number,
    private readonly everyMs: number,
  ) {
    this.bytes.push(read());
    this.timer = setInterval(() => this.bytes.push(read()), everyMs);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** Bytes per minute over the last two thirds: heaps grow to their size in the first. */
  slope(): number {
    return slopeOf(this.bytes.slice(Math.floor(this.bytes.length / 3))) * (60_000 / this.everyMs);
  }
}

/** Least squares: how much each value is above the one before. */
export function slopeOf(values: readonly number[]): number {
  const count = values.length;
  if (count < 2) return 0;
  const meanX = (count - 1) / 2;
  const meanY = values.reduce((sum, value) => sum + value, 0) / count;
  let [above, below] = [0, 0];
  values.forEach((value, index) => {
    above += (index - meanX) * (value - meanY);
    below += (index - meanX) ** 2;
  });
  return above / below;
}
