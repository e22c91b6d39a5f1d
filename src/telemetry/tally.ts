import { Counter, Gauge } from 'prom-client';
import type { Registry } from 'prom-client';

/**
 * A counter whose increment is one addition. prom-client hashes labels on every call, which the hot
 * path cannot afford; the totals are handed over when Prometheus asks.
 */
export class Tally {
  value = 0;

  add(count = 1): void {
    this.value += count;
  }
}

/** One Tally per value of a label. The values are few and known (error names, transports, ...). */
export class LabelledTally {
  private readonly tallies = new Map<string, Tally>();

  /** @param known label values that are exported from the start, at 0. */
  constructor(known: readonly string[] = []) {
    for (const value of known) this.of(value);
  }

  /** The Tally of a label value; hot code keeps it. */
  of(value: string): Tally {
    let tally = this.tallies.get(value);
    if (tally === undefined) {
      tally = new Tally();
      this.tallies.set(value, tally);
    }
    return tally;
  }

  add(value: string, count = 1): void {
    this.of(value).add(count);
  }

  entries(): IterableIterator<[string, Tally]> {
    return this.tallies.entries();
  }
}

/** Exports a Tally as a Prometheus counter. */
export function exportTally(registry: Registry, name: string, help: string): Tally {
  const tally = new Tally();
  const counter = new Counter({
    name,
    help,
    registers: [registry],
    collect() {
      counter.reset();
      counter.inc(tally.value);
    },
  });
  return tally;
}

/** Exports a LabelledTally as a Prometheus counter with one label. */
export function exportLabelledTally(
  registry: Registry,
  name: string,
  help: string,
  label: string,
  known: readonly string[] = [],
): LabelledTally {
  const tallies = new LabelledTally(known);
  const counter = new Counter({
    name,
    help,
    labelNames: [label],
    registers: [registry],
    collect() {
      counter.reset();
      for (const [value, tally] of tallies.entries()) counter.inc({ [label]: value }, tally.value);
    },
  });
  return tallies;
}

/** Exports a gauge that is read only when Prometheus asks. */
export function exportGauge(
  registry: Registry,
  name: string,
  help: string,
  read: () => number,
): void {
  const gauge = new Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      gauge.set(read());
    },
  });
}
