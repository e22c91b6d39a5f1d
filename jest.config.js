/** @type {import('jest').Config} */
export default {
  testEnvironment: 'node',
  globalSetup: '<rootDir>/test/support/run-begins.mjs',
  globalTeardown: '<rootDir>/test/support/run-ends.mjs',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  // `make stage` copies package.json there, with a node_modules of its own.
  modulePathIgnorePatterns: ['<rootDir>/stage/'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'es6' } },
    ],
  },
  collectCoverageFrom: ['src/**/*.ts', '!src/wire/generated/**', '!src/cli/main.ts'],
  // A machine that others use may be slow; a test that hangs is ended all the same.
  testTimeout: 300_000,
  // Twice the cores that CI has: many tests wait for timers and sockets most of their time.
  maxWorkers: 4,
  testSequencer: '<rootDir>/test/longest-first.mjs',
  // Each test file leaves its modules behind in its worker.
  workerIdleMemoryLimit: '1GB',
};
