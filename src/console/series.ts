import type { HistoryBody, PointBody } from './bodies.js';

/** The column of times; ms since 1970. */
const TIME = 'at_ms';

type Column = (number | null)[];

/** The last points of every series, oldest first, as columns. A series may begin later than others. */
export class SeriesStore {
  private times: number[] = [];
  private readonly columns = new Map<string, Column>();

  /**
   * @param capacity points that are kept.
   * @param gap time between two points, ms, from which on a line between them would be invented.
   */
  constructor(
    private readonly capacity: number,
    private readonly gap: number,
  ) {}

  get length(): number {
    return this.times.length;
  }

  /** Adds what the gateway kept; points that are not newer than the last one are known already. */
  load(history: HistoryBody): void {
    for (const [index, at] of (history[TIME] ?? []).entries()) {
      const names = Object.keys(history);
      const point = names.map((name) => [name, history[name]?.[index] ?? null] as const);
      if (at !== null) this.add(Object.fromEntries(point));
    }
  }

  /** Adds a point, unless it is not newer than the last. */
  add(point: PointBody): void {
    const at = point[TIME];
    const last = this.times.at(-1);
    if (at === null || at === undefined || (last !== undefined && at <= last)) return;
    if (last !== undefined && at - last > this.gap) this.append(last + 1, {});
    this.append(at, point);
  }

  /** The newest value of a series, null where it is unknown. */
  latest(name: string): number | null {
    return this.columns.get(name)?.at(-1) ?? null;
  }

  /** Times in seconds, then these series: what a chart draws. */
  table(names: readonly string[]): [number[], ...Column[]] {
    const nothing = () => new Array<null>(this.times.length).fill(null);
    return [
      this.times.map((at) => at / 1000),
      ...names.map((name) => this.columns.get(name) ?? nothing()),
    ];
  }

  private append(at: number, point: PointBody): void {
    for (const name of Object.keys(point)) {
      if (name === TIME || this.columns.has(name)) continue;
      this.columns.set(name, new Array<null>(this.times.length).fill(null));
    }
    this.times.push(at);
    for (const [name, column] of this.columns) column.push(point[name] ?? null);
    if (this.times.length <= this.capacity) return;
    this.times.shift();
    for (const column of this.columns.values()) column.shift();
  }
}
