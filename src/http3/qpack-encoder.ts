import { INDEX_OF_FIELD, INDEX_OF_NAME } from './qpack-static-table.js';
import type { Field } from './qpack-static-table.js';

/**
 * Encodes fields with the static table alone (RFC 9204 section 4.5), so that no section ever waits
 * for another stream. Strings are Latin-1 and not Huffman-coded: ours are few and short.
 */
export function encodeFieldSection(fields: readonly Field[]): Buffer {
  const bytes: number[] = [0, 0];
  for (const [name, value] of fields) {
    const whole = INDEX_OF_FIELD.get(`${name}: ${value}`);
    const known = INDEX_OF_NAME.get(name);
    if (whole !== undefined) {
      putInteger(bytes, 0xc0, 6, whole);
      continue;
    }
    if (known !== undefined) putInteger(bytes, 0x50, 4, known);
    else putString(bytes, 0x20, 3, name);
    putString(bytes, 0, 7, value);
  }
  return Buffer.from(bytes);
}

function putString(bytes: number[], flags: number, prefixBits: number, text: string): void {
  const latin = Buffer.from(text, 'latin1');
  putInteger(bytes, flags, prefixBits, latin.length);
  for (const byte of latin) bytes.push(byte);
}

function putInteger(bytes: number[], flags: number, prefixBits: number, value: number): void {
  const most = 2 ** prefixBits - 1;
  if (value < most) {
    bytes.push(flags | value);
    return;
  }
  bytes.push(flags | most);
  let rest = value - most;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push(0x80 | (rest & 0x7f));
  bytes.push(rest);
}
