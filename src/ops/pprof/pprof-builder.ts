import { Function, Line, Location, Profile, Sample, StringTable, ValueType } from 'pprof-format';

/** A place in the code as V8 names it; lines and columns count from 0. */
export interface CallFrame {
  readonly functionName: string;
  readonly url: string;
  readonly lineNumber: number;
}

/** What one of the values of a sample means: `cpu` in `nanoseconds`. */
export interface ValueKind {
  readonly type: string;
  readonly unit: string;
}

/**
 * Collects stacks with values into a profile as `go tool pprof` reads it (proto/profile.proto of
 * google/pprof). The last kind of value is the one that is shown first.
 */
export class PprofBuilder {
  private readonly strings = new StringTable();
  private readonly functions: Function[] = [];
  private readonly locations: Location[] = [];
  private readonly samples: Sample[] = [];
  private readonly known = new Map<string, number>();

  constructor(
    private readonly kinds: readonly ValueKind[],
    /** What a sample stands for, on average. */
    private readonly period: ValueKind & { readonly value: number },
  ) {}

  /** The id of a place, the same for the same place. */
  locate({ functionName, url, lineNumber }: CallFrame): number {
    const name = functionName === '' ? '(anonymous)' : functionName;
    const line = lineNumber + 1;
    const key = `${name} ${url} ${line}`;
    const found = this.known.get(key);
    if (found !== undefined) return found;
    const id = this.locations.length + 1;
    this.known.set(key, id);
    const text = this.strings.dedup(name);
    const filename = this.strings.dedup(url.replace(/^file:\/\//, ''));
    this.functions.push(
      new Function({ id, name: text, systemName: text, filename, startLine: line }),
    );
    this.locations.push(new Location({ id, line: [new Line({ functionId: id, line })] }));
    return id;
  }

  /** @param stack of ids, innermost first. @param values one per kind. */
  add(stack: number[], values: number[]): void {
    this.samples.push(new Sample({ locationId: stack, value: values }));
  }

  /** @param startedAt ms since 1970. @param duration ms. */
  encode(startedAt: number, duration: number): Uint8Array {
    return new Profile({
      sampleType: this.kinds.map((kind) => this.valueType(kind)),
      sample: this.samples,
      location: this.locations,
      function: this.functions,
      stringTable: this.strings,
      timeNanos: BigInt(Math.round(startedAt)) * 1_000_000n,
      durationNanos: BigInt(Math.round(duration)) * 1_000_000n,
      periodType: this.valueType(this.period),
      period: this.period.value,
    }).encode();
  }

  private valueType({ type, unit }: ValueKind): ValueType {
    return new ValueType({ type: this.strings.dedup(type), unit: this.strings.dedup(unit) });
  }
}
