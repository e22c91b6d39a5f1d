/**
 * How long a test waits for what must happen, ms: far beyond what it takes even on a machine five
 * times slower than ours that others are using. Only a test that fails waits so long.
 */
export const PATIENCE_MS = 60_000;

/** A client that gives nothing up because its machine is slow; for tests in which nothing is lost. */
export const PATIENT_CLIENT = {
  connectTimeoutMs: PATIENCE_MS,
  openTimeoutMs: PATIENCE_MS,
  startTimeoutMs: PATIENCE_MS,
  requestTimeoutMs: PATIENCE_MS,
} as const;
