import type { Push } from '../sdk/client/core/payload.js';

/** The type of pushes that belong to a burst; their title is `NUMBER of COUNT`, their content its id. */
export const BURST_TYPE = 'burst';

/** How the pushes of one burst have come so far. */
export interface Tally {
  readonly count: number;
  readonly arrived: number;
  readonly twice: number;
  readonly outOfOrder: number;
  /** Those that came over another connection than the first of them. */
  readonly afterCut: number;
}

/** One burst of numbered pushes: which have come, in which order, over which connection. */
export class Burst {
  private readonly connections = new Map<number, number>();
  private highest = 0;
  private twice = 0;
  private outOfOrder = 0;

  constructor(
    readonly id: string,
    readonly count: number,
  ) {}

  /** @param connection the number of the connection that brought it. @returns its number, 0: not of this burst. */
  take(push: Push, connection: number): number {
    const number = Number(/^(\d+) of \d+$/.exec(push.title)?.[1] ?? 0);
    if (push.type !== BURST_TYPE || push.content !== this.id || number === 0) return 0;
    if (this.connections.has(number)) this.twice++;
    else if (number < this.highest) this.outOfOrder++;
    this.highest = Math.max(this.highest, number);
    this.connections.set(number, connection);
    return number;
  }

  get tally(): Tally {
    const { count, twice, outOfOrder, connections } = this;
    const first = connections.get(1) ?? 0;
    const later = [...connections.values()].filter((connection) => connection !== first);
    return { count, arrived: connections.size, twice, outOfOrder, afterCut: later.length };
  }

  get complete(): boolean {
    return this.connections.size === this.count;
  }
}
