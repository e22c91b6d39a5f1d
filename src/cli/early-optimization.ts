import { setFlagsFromString } from 'node:v8';

/** A quarter of V8's own: how many bytes of bytecode a function runs through between two looks at it. */
const INTERRUPT_BUDGET_BYTES = 16_384;

/** From this version on V8 has a compiler in between (Maglev), which is early by itself, and no such flag. */
const V8_WITH_MAGLEV = 12;

/**
 * Has V8 optimize a function after a quarter of the work that it waits for by itself. A gateway runs the same code all
 * its life, and is asked most of it right after a start or a failover, when everybody connects (docs/PERFORMANCE-NOTES.md,
 * "The first minute"). Changes when code is optimized, never what it does; to be called before much has run.
 */
export function optimizeEarly(): void {
  if (Number.parseInt(process.versions.v8) >= V8_WITH_MAGLEV) return;
  setFlagsFromString(`--interrupt-budget=${INTERRUPT_BUDGET_BYTES}`);
}
