/** The longest variable-length integer (RFC 9000 section 16). */
export const MAX_VARINT_BYTES = 8;

/** How many bytes an integer has whose first byte is this. */
export function varintLength(first: number): number {
  return 1 << (first >>> 6);
}

/**
 * Reads the integer at `at`; the caller knows that all its bytes are there. Above 2^53 the number
 * is the nearest that JavaScript has: such types and lengths are only compared with small ones.
 */
export function readVarint(bytes: Uint8Array, at: number): number {
  const first = bytes[at] as number;
  const end = at + varintLength(first);
  let value = first & 0x3f;
  for (let next = at + 1; next < end; next++) value = value * 256 + (bytes[next] as number);
  return value;
}

/** How many bytes an integer takes, 0 to 2^53 - 1. */
export function varintSize(value: number): number {
  if (value < 0x40) return 1;
  if (value < 0x4000) return 2;
  return value < 0x4000_0000 ? 4 : 8;
}

/** Writes an integer, 0 to 2^53 - 1, in its shortest form; returns where it ends. */
export function writeVarint(target: Uint8Array, at: number, value: number): number {
  const size = varintSize(value);
  const end = at + size;
  let rest = value;
  for (let next = end - 1; next >= at; next--) {
    target[next] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  target[at] = (target[at] as number) | (Math.log2(size) << 6);
  return end;
}

/** Integers one after another. */
export function encodeVarints(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * MAX_VARINT_BYTES);
  let at = 0;
  for (const value of values) at = writeVarint(bytes, at, value);
  return bytes.subarray(0, at);
}
