import { setFlagsFromString } from 'node:v8';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { optimizeEarly } from '../../../src/cli/early-optimization.js';

/** Of V8's `%GetOptimizationStatus`: the function runs as optimized code. */
const OPTIMIZED = 1 << 4;

const MOST_CALLS = 200_000;

beforeAll(() => {
  // At once and in this thread, so that nothing hangs on how busy the machine is.
  setFlagsFromString('--no-concurrent-recompilation');
  setFlagsFromString('--allow-natives-syntax');
});

afterAll(() => setFlagsFromString('--concurrent-recompilation'));

/** How often a function must be called before V8 runs it as optimized code. */
function callsUntilOptimized(): number {
  // Too long to be optimized early in any case, as short functions are.
  const neverRun = 'n++;'.repeat(60);
  const work = new Function('n', `if (n < 0) { ${neverRun} } return n;`);
  const count = new Function(
    'work',
    `let calls = 0;
     while ((%GetOptimizationStatus(work) & ${OPTIMIZED}) === 0 && calls < ${MOST_CALLS}) work(calls++);
     return calls;`,
  );
  // Optimized itself, it would swallow the function that it calls.
  new Function('count', '%NeverOptimizeFunction(count);')(count);
  return count(work) as number;
}

it('has V8 optimize what runs often early', () => {
  optimizeEarly();
  // 6,000 with Node 20, which by itself takes 24,000; newer ones take less than 1,000.
  expect(callsUntilOptimized()).toBeLessThan(12_000);
});
