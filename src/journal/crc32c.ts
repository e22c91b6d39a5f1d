/** CRC-32C (Castagnoli, RFC 3720 appendix B.4): reflected polynomial 0x82f63b78. */
const TABLE = buildTable();

function buildTable(): Uint32Array {
  const table = new Uint32Array(256);
  for (let byte = 0; byte < 256; byte++) {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
    table[byte] = value;
  }
  return table;
}

/**
 * The checksum of `bytes` as an unsigned 32-bit number.
 * @param before checksum of the bytes that come before these.
 */
export function crc32c(bytes: Uint8Array, before = 0): number {
  let crc = before ^ 0xffffffff;
  for (const byte of bytes) crc = (TABLE[(crc ^ byte) & 0xff] as number) ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}
