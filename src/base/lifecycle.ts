/**
 * Makes an asynchronous step idempotent: the first call runs it, every later one gets the same
 * promise, so that stop() twice is stop() once.
 */
export function memoised(step: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | null = null;
  return () => (running ??= step());
}
