/** Protobuf's numbers in base 128 (protobuf encoding guide, "Varints"), from 0 to 2^53 - 1. */

export function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) bytes++;
  return bytes;
}

/** @returns where the next byte goes. */
export function writeVarint(target: Uint8Array, start: number, value: number): number {
  let at = start;
  let rest = value;
  // Division instead of shifts: numbers go up to 2^53, shifts cut at 2^32.
  for (; rest >= 128; rest = Math.floor(rest / 128)) target[at++] = (rest % 128) | 0x80;
  target[at++] = rest;
  return at;
}
