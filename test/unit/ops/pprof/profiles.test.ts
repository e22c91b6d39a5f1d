import { describe, expect, it } from '@jest/globals';
import type { HeapProfiler } from 'node:inspector';
import { Profile } from 'pprof-format';
import { cpuPprof } from '../../../../src/ops/pprof/cpu-profile.js';
import { heapPprof } from '../../../../src/ops/pprof/heap-profile.js';

type HeapNode = HeapProfiler.SamplingHeapProfileNode;

function frame(functionName: string, lineNumber = 0, url = 'file:///app/x.js') {
  return { functionName, url, lineNumber, columnNumber: 0, scriptId: '1' };
}

/** `outer;inner value...` of every sample, as `pprof -raw` would show it. */
function read(bytes: Uint8Array) {
  const profile = Profile.decode(bytes);
  const text = (index: number | bigint) => profile.stringTable.strings[Number(index)] ?? '';
  const names = new Map(profile.function.map(({ id, name }) => [Number(id), text(name)]));
  const places = new Map(
    profile.location.map(({ id, line }) => [
      Number(id),
      `${names.get(Number(line[0]?.functionId))}:${line[0]?.line}`,
    ]),
  );
  return {
    kinds: profile.sampleType.map(({ type, unit }) => `${text(type)}/${text(unit)}`),
    files: profile.function.map(({ filename }) => text(filename)),
    seconds: Number(profile.durationNanos) / 1e9,
    period: Number(profile.period),
    samples: profile.sample.map(
      ({ locationId, value }) =>
        `${locationId.map((id) => places.get(Number(id))).join(' < ')} = ${value.join(' ')}`,
    ),
  };
}

describe('a CPU profile', () => {
  const profile = {
    nodes: [
      { id: 1, callFrame: frame('(root)', -1, ''), children: [2, 3, 5, 7] },
      { id: 2, callFrame: frame('(idle)', -1, '') },
      { id: 3, callFrame: frame('main', 9), children: [4] },
      { id: 4, callFrame: frame('', 19) },
      { id: 5, callFrame: frame('', 19), children: [6] },
      { id: 6, callFrame: frame('main', 9) },
      { id: 7, callFrame: frame('dispatch', 5, 'node:inspector') },
    ],
    startTime: 1_000_000,
    endTime: 3_000_000,
    samples: [2, 4, 4, 3, 6, 7],
    timeDeltas: [500, 1_000, 1_100, -3, 900, 1_000],
  };

  it('keeps stacks and time, but not time in which nothing ran or the profiler did', () => {
    expect(read(cpuPprof(profile, 1_700_000_000_000, 1_000))).toEqual({
      kinds: ['samples/count', 'cpu/nanoseconds'],
      files: ['', '/app/x.js', '/app/x.js', 'node:inspector'],
      seconds: 2,
      period: 1_000_000,
      samples: [
        '(anonymous):20 < main:10 = 2 2100000',
        'main:10 = 1 0',
        'main:10 < (anonymous):20 = 1 900000',
      ],
    });
  });

  it('may be empty', () => {
    const nothing = { nodes: [], startTime: 0, endTime: 0 };
    expect(read(cpuPprof(nothing, 0, 1_000)).samples).toEqual([]);
  });
});

it('a heap profile tells bytes by where they were allocated', () => {
  const node = (functionName: string, selfSize: number, children: HeapNode[] = []): HeapNode => ({
    callFrame: frame(functionName),
    selfSize,
    children,
  });
  const head = node('(root)', 0, [node('a', 0, [node('b', 700), node('c', 300)]), node('b', 50)]);
  const seen = read(heapPprof({ head }, 0, 1_500, 4096));
  expect(seen).toMatchObject({
    kinds: ['inuse_space/bytes'],
    seconds: 1.5,
    samples: ['b:1 < a:1 = 700', 'c:1 < a:1 = 300', 'b:1 = 50'],
  });
});
