/**
 * Makes an asynchronous step idempotent: the first call runs it, every later one gets the same
 * promise, so that stop() twice is stop() once.
 */
export function memoised<Result = void>(step: () => Promise<Result>): () => Promise<Result> {
  let running: Promise<Result> | null = null;
  return () => (running ??= step());
}
