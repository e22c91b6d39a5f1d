import { PATIENCE_MS } from './patience.js';

/**
 * Waits until something has come about, however slow the machine is.
 * @param what is told where it does not.
 * @throws when patience has run out.
 */
export async function until(
  reached: () => boolean | Promise<boolean>,
  what = reached.toString(),
): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  while (!(await reached())) {
    if (Date.now() > end) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Lets everything be read that has reached this process: a pause of a stalled one ends before that. */
export async function allIsRead(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}
