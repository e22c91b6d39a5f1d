import { LiteralReader } from '../base/literal-reader.js';
import { connectionFault } from './http3-fault.js';
import { STATIC_TABLE } from './qpack-static-table.js';
import type { Field } from './qpack-static-table.js';

/** What a field counts beside its name and value (RFC 9114 section 4.2.2). */
const FIELD_OVERHEAD = 32;

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
  private readonly literals = new LiteralReader(fault);

  constructor(bytes: Uint8Array) {
    this.literals.begin(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
  }

  get ended(): boolean {
    return this.literals.ended;
  }

  /**
   * Required Insert Count and Base (RFC 9204 section 4.5.1): without a dynamic table the former is 0, so that
   * the latter cannot be below it, and means nothing else.
   */
  readPrefix(): void {
    if (this.literals.integer(8) !== 0) throw fault('a field section waits for a dynamic table');
    if (!this.ended && this.literals.next >= 0x80) throw fault('a base below 0');
    this.literals.integer(7);
  }

  readField(): Field {
    const { literals } = this;
    const first = literals.next;
    if (first >= 0x80) {
      if ((first & 0x40) === 0) throw fault('a field of the dynamic table');
      return entry(literals.integer(6));
    }
    if (first >= 0x40) {
      if ((first & 0x10) === 0) throw fault('a name of the dynamic table');
      const [name] = entry(literals.integer(4));
      return [name, literals.string(7)];
    }
    if (first < 0x20) throw fault('a field of the dynamic table, behind the base');
    const name = literals.string(3);
    return [name, literals.string(7)];
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
