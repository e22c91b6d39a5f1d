import { describe, expect, test } from '@jest/globals';
import { ExecutionBook } from '../../../src/bench/load/execution-book.js';
import { parseLoadOptions } from '../../../src/bench/load/load-options.js';
import { slopeOf } from '../../../src/bench/load/memory-series.js';
import { MODES } from '../../../src/bench/load/modes.js';
import { QUICK, WHOLE } from '../../../src/bench/suite/steps.js';

describe('the execution book', () => {
  test('knows each repetition, in whatever order requests come', () => {
    const book = new ExecutionBook();
    for (const seq of [2, 1, 4, 3, 5]) book.note('a', seq);
    book.note('b', 1);
    expect([book.executed, book.repeated]).toEqual([6, 0]);
    for (const seq of [4, 5]) book.note('a', seq);
    book.note('b', 3);
    book.note('b', 3);
    expect([book.executed, book.repeated]).toEqual([10, 3]);
  });
});

test('the slope of a series is what each value is above the one before', () => {
  expect(slopeOf([5, 7, 9, 11])).toBeCloseTo(2);
  expect(slopeOf([3, 3, 3])).toBe(0);
  expect(slopeOf([3])).toBe(0);
});

describe('the set', () => {
  const ownSteps = [...WHOLE, ...QUICK].filter(({ script }) => script === 'load/main.js');

  test.each(ownSteps.map(({ args }) => [args.join(' '), args] as const))(
    '%s can be run',
    (_, args) => {
      const { mode } = parseLoadOptions([...args, '--peer', 'folder', '--out', 'file']);
      expect(Object.keys(MODES)).toContain(mode);
    },
  );

  test('options that do not exist and values that cannot be are refused', () => {
    expect(() => parseLoadOptions(['echo', '--seconds', '3'])).toThrow('--seconds');
    expect(() => parseLoadOptions(['echo', '--kind', 'kind'])).toThrow('--kind is one of mixed');
    expect(() => parseLoadOptions(['echo', '--upstream-path', 'x'])).toThrow(
      'unary, stream or both',
    );
    expect(() => parseLoadOptions(['idle', '--hold', 'long']).number('hold')).toThrow(
      '--hold must be',
    );
  });
});
