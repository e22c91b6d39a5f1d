import { decodeHuffman } from '../base/huffman.js';
import { connectionFault } from './http3-fault.js';
import { STATIC_TABLE } from './qpack-static-table.js';
import type { Field } from './qpack-static-table.js';

/** What a field counts beside its name and value (RFC 9114 section 4.2.2). */
const FIELD_OVERHEAD = 32;
/** An integer of more bytes is above any length that we accept. */
const MAX_INTEGER_BYTES = 5;

/**
 * Decodes an encoded field section (RFC 9204 section 4.5). We announce a dynamic table of 0 bytes, so
 * whoever refers to one breaks the rules.
 * @param limit size of the section as SETTINGS_MAX_FIELD_SECTION_SIZE counts it.
 * @returns null where it is above the limit.
 * @throws {Http3Fault} QPACK_DECOMPRESSION_FAILED, for the connection.
 */
export function decodeFieldSection(bytes: Uint8Array, limit: number): Field[] | null {
  const section = new SectionReader(bytes);
  section.readPrefix();
  const fields: Field[] = [];
  let size = 0;
  while (!section.ended) {
    const field = section.readField();
    size += field[0].length + field[1].length + FIELD_OVERHEAD;
    if (size > limit) return null;
    fields.push(field);
  }
  return fields;
}

class SectionReader {
  private at = 0;
  private readonly bytes: Buffer;

  constructor(bytes: Uint8Array) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  get ended(): boolean {
    return this.at >= this.bytes.length;
  }

  /** Required Insert Count and Base: without a dynamic table the former is 0, the latter means nothing. */
  readPrefix(): void {
    if (this.integer(8) !== 0) throw fault('a field section waits for a dynamic table');
    this.integer(7);
  }

  readField(): Field {
    const first = this.bytes[this.at] as number;
    if (first >= 0x80) {
      if ((first & 0x40) === 0) throw fault('a field of the dynamic table');
      return entry(this.integer(6));
    }
    if (first >= 0x40) {
      if ((first & 0x10) === 0) throw fault('a name of the dynamic table');
      const [name] = entry(this.integer(4));
      return [name, this.string(7)];
    }
    if (first < 0x20) throw fault('a field of the dynamic table, behind the base');
    const name = this.string(3);
    return [name, this.string(7)];
  }

  /** A string whose length has a prefix of so many bits; the bit above says whether it is Huffman-coded. */
  private string(prefixBits: number): string {
    const first = this.bytes[this.at];
    if (first === undefined) throw fault('a string is cut short');
    const length = this.integer(prefixBits);
    const start = this.at;
    const end = start + length;
    if (end > this.bytes.length) throw fault('a string is cut short');
    this.at = end;
    if ((first & (1 << prefixBits)) === 0) return this.bytes.toString('latin1', start, end);
    const text = decodeHuffman(this.bytes, start, end);
    if (text === null) throw fault('a Huffman string that is none');
    return text;
  }

  /** An integer with a prefix of so many bits (RFC 7541 section 5.1). */
  private integer(prefixBits: number): number {
    const most = 2 ** prefixBits - 1;
    const first = this.bytes[this.at++];
    if (first === undefined) throw fault('a field section is cut short');
    let value = first & most;
    if (value < most) return value;
    for (let shift = 0; shift < MAX_INTEGER_BYTES; shift++) {
      const byte = this.bytes[this.at++];
      if (byte === undefined) throw fault('an integer is cut short');
      value += (byte & 0x7f) * 2 ** (7 * shift);
      if (byte < 0x80) return value;
    }
    throw fault('an integer is too large');
  }
}

function entry(index: number): Field {
  const field = STATIC_TABLE[index];
  if (field === undefined) throw fault(`no entry ${index} in the static table`);
  return field;
}

function fault(message: string) {
  return connectionFault('QPACK_DECOMPRESSION_FAILED', message);
}
