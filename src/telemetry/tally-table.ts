import type { Registry } from 'prom-client';
import { exportGauge, exportLabelledTally, exportTally } from './tally.js';
import type { LabelledTally, Tally } from './tally.js';

/** A counter: its name and meaning; with a label also that, and its values that are known. */
type TallyRow = readonly [string, string] | readonly [string, string, string, readonly string[]];

export type TallyRows = Readonly<Record<string, TallyRow>>;

type Tallies<Rows extends TallyRows> = {
  readonly [Key in keyof Rows]: Rows[Key] extends readonly [string, string] ? Tally : LabelledTally;
};

/** A class whose instances export every row of a table and have it as a field of the row's name. */
export function tallyTable<const Rows extends TallyRows>(
  rows: Rows,
): new (registry: Registry) => Tallies<Rows> {
  class TallyTable {
    constructor(registry: Registry) {
      for (const [key, row] of Object.entries(rows)) {
        const [name, help, label, known] = row;
        const tally =
          label === undefined
            ? exportTally(registry, name, help)
            : exportLabelledTally(registry, name, help, label, known);
        Object.defineProperty(this, key, { value: tally, enumerable: true });
      }
    }
  }
  return TallyTable as unknown as new (registry: Registry) => Tallies<Rows>;
}

/** A gauge: its name, its meaning, and how it is read when Prometheus asks. */
export type GaugeRow = readonly [string, string, () => number];

export function exportGauges(registry: Registry, rows: readonly GaugeRow[]): void {
  for (const [name, help, read] of rows) exportGauge(registry, name, help, read);
}
