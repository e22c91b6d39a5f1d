import type { HeapProfiler } from 'node:inspector';
import { PprofBuilder } from './pprof-builder.js';

/**
 * A sampling heap profile of V8 as pprof: bytes that are still in use, by where they were allocated.
 * @param startedAt ms since 1970. @param duration ms.
 */
export function heapPprof(
  profile: HeapProfiler.SamplingHeapProfile,
  startedAt: number,
  duration: number,
  intervalBytes: number,
): Uint8Array {
  const space = { type: 'inuse_space', unit: 'bytes' };
  const period = { type: 'space', unit: 'bytes', value: intervalBytes };
  const builder = new PprofBuilder([space], period);
  const visit = (node: HeapProfiler.SamplingHeapProfileNode, stack: number[]): void => {
    if (node.selfSize > 0) builder.add(stack, [node.selfSize]);
    for (const child of node.children) visit(child, [builder.locate(child.callFrame), ...stack]);
  };
  visit(profile.head, []);
  return builder.encode(startedAt, duration);
}
