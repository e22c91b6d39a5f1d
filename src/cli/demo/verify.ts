import { setTimeout as pause } from 'node:timers/promises';

const POLL_MS = 10;

/** Throws unless both are the same; `what` names the thing in the reason. */
export function same(actual: unknown, expected: unknown, what: string): void {
  const [got, wanted] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (got !== wanted) throw new Error(`${what}: expected ${wanted}, got ${got}`);
}

/** Throws `reason` unless the condition holds. */
export function holds(condition: boolean, reason: string): void {
  if (!condition) throw new Error(reason);
}

/** The text of a page. @throws {Error} where it is not answered with success. */
export async function readPage(address: string): Promise<string> {
  const response = await fetch(`http://${address}`);
  holds(response.ok, `${address} answers with ${response.status}`);
  return response.text();
}

/** Waits until the condition holds. @throws {Error} naming `what` after `ms`. */
export async function until(condition: () => boolean, what: string, ms = 30_000): Promise<void> {
  const deadline = performance.now() + ms;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`${what}: not within ${ms / 1000} s`);
    await pause(POLL_MS);
  }
}
