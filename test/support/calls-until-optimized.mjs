// Imported into the process of a gateway by test/integration/early-optimization.test.ts: at SIGUSR2 it says how often
// a function must be called there before V8 runs it as optimized code. Needs --allow-natives-syntax, and
// --no-concurrent-recompilation so that nothing hangs on how busy the machine is.

/** Of V8's `%GetOptimizationStatus`: the function runs as optimized code. */
const OPTIMIZED = 1 << 4;

const MOST_CALLS = 200_000;

process.on('SIGUSR2', () => {
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
  process.stdout.write(`optimized after ${count(work)} calls\n`);
});
