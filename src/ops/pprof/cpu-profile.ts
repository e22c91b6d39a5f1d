import type { Profiler } from 'node:inspector';
import { PprofBuilder } from './pprof-builder.js';

const NS_PER_US = 1_000;
/** Time in which nothing ran is not what a CPU profile is about. */
const IDLE = '(idle)';
/** Nor is what profiling itself costs, most of it at the start. */
const OWN_URL = 'node:inspector';

interface Tree {
  /** Stack of each node by its id, innermost first. */
  readonly stacks: Map<number, number[]>;
  /** Nodes that do not count. */
  readonly skipped: Set<number>;
}

/**
 * A CPU profile of V8 as pprof: samples, and the nanoseconds that each stood for.
 * @param startedAt ms since 1970. @param intervalUs what V8 was asked to sample at.
 */
export function cpuPprof(
  profile: Profiler.Profile,
  startedAt: number,
  intervalUs: number,
): Uint8Array {
  const kinds = [
    { type: 'samples', unit: 'count' },
    { type: 'cpu', unit: 'nanoseconds' },
  ];
  const period = { type: 'cpu', unit: 'nanoseconds', value: intervalUs * NS_PER_US };
  const builder = new PprofBuilder(kinds, period);
  const { stacks, skipped } = treeOf(profile, builder);
  for (const [id, { count, us }] of sums(profile)) {
    const stack = stacks.get(id);
    if (stack !== undefined && !skipped.has(id)) builder.add(stack, [count, us * NS_PER_US]);
  }
  return builder.encode(startedAt, (profile.endTime - profile.startTime) / 1000);
}

/** V8 lists parents before their children. */
function treeOf({ nodes }: Profiler.Profile, builder: PprofBuilder): Tree {
  const stacks = new Map<number, number[]>();
  const skipped = new Set<number>();
  const parents = new Map<number, number>();
  for (const { id, callFrame, children } of nodes) {
    for (const child of children ?? []) parents.set(child, id);
    const parent = parents.get(id);
    // The root stands for no code.
    if (parent === undefined) stacks.set(id, []);
    else stacks.set(id, [builder.locate(callFrame), ...(stacks.get(parent) ?? [])]);
    const { functionName, url } = callFrame;
    if (functionName === IDLE || url === OWN_URL) skipped.add(id);
  }
  return { stacks, skipped };
}

/** Samples and microseconds per node. */
function sums({ samples = [], timeDeltas = [] }: Profiler.Profile) {
  const byNode = new Map<number, { count: number; us: number }>();
  samples.forEach((id, index) => {
    const sum = byNode.get(id) ?? { count: 0, us: 0 };
    sum.count++;
    // The first delta is that from the start of profiling; they may be slightly negative.
    sum.us += Math.max(0, timeDeltas[index] ?? 0);
    byNode.set(id, sum);
  });
  return byNode;
}
