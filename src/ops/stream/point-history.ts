import { RingQueue } from '../../base/ring-queue.js';
import type { Point } from './stats-sampler.js';

/** Points kept, one a second: what a chart shows. */
export const HISTORY_POINTS = 600;

/** The last points, for whoever begins to listen; it grows only while somebody listens. */
export class PointHistory {
  private readonly points = new RingQueue<Point>();

  add(point: Point): void {
    this.points.push(point);
    if (this.points.length > HISTORY_POINTS) this.points.shift();
  }

  /** Each series as a column, oldest first: a third of what points would take. */
  columns(): Record<string, (number | null)[]> {
    const columns: Record<string, (number | null)[]> = {};
    const names = Object.keys(this.points.at(0) ?? {});
    for (const name of names) {
      columns[name] = [...this.points].map((point) => point[name] ?? null);
    }
    return columns;
  }
}
