/** Waits until something has come about, however slow the machine is. @throws after 15 s. */
export async function until(reached: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 15_000;
  while (!(await reached())) {
    if (Date.now() > end) throw new Error(`waited in vain for ${reached.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
