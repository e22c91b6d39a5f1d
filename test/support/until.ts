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
