import { describe, expect, test } from '@jest/globals';
import { goalsTable } from '../../../src/bench/report/goals.js';
import { sampleResults } from './sample-results.js';

describe('what was wanted and what was found', () => {
  test('says of each goal whether it was reached', () => {
    const text = goalsTable(sampleResults());
    expect(text).toContain(
      '| CPU per request, all in flight, beside the lean Go gateway | 1.00 | 0.60 | yes |',
    );
    expect(text).toContain('| the same over ProcessStream | 0.65 | 0.30 | yes |');
    expect(text).toContain('| CPU per connect, beside it | 0.50 | 0.35 | yes |');
    expect(text).toContain('| memory per idle session | 50 KB | 39 KB | yes |');
    expect(text).toMatch(/heartbeats during broadcasts .* \| 100 ms \| 80 ms \| yes \|/);
    expect(text).toMatch(/most expensive number of sessions, .* \| 1.50 \| 1.25 \| yes \|/);
    expect(text).toMatch(/bare quiche loop \| 1.30 \| 1.25 \| yes \|/);
  });

  test('calls what is above its goal missed', () => {
    const results = sampleResults();
    const [row] = results.hostile.medians;
    if (row === undefined) throw new Error('the sample has no hostile round');
    results.hostile = { ...results.hostile, medians: [{ ...row, p99Ratio: 3.01 }] };
    expect(goalsTable(results)).toMatch(
      /10,000 hostile connections.* \| 3.00 \| 3.01 \| \*\*no\*\* \|/,
    );
  });

  test('leaves out what was not measured', () => {
    const { idle } = sampleResults();
    expect(goalsTable({ idle })?.split('\n')).toHaveLength(3);
    expect(goalsTable({})).toBeNull();
  });
});
