import { decodeHuffman } from '../../base/huffman.js';
import { Http2Code } from '../status-mapping.js';
import { ConnectionError } from './connection-error.js';
import { STATIC_TABLE } from './hpack-tables.js';

/** What the peer's encoder may keep; the default of SETTINGS_HEADER_TABLE_SIZE, which we leave. */
const TABLE_BYTES = 4_096;
/** What an entry counts beside its name and value (RFC 7541 section 4.1). */
const ENTRY_OVERHEAD = 32;
/** An integer of more bytes is above any length that we accept. */
const MAX_INTEGER_BYTES = 5;

type Field = readonly [name: string, value: string];

/** Decodes the header blocks of one connection, in order (RFC 7541). */
export class HpackDecoder {
  /** The dynamic table, oldest first. */
  private readonly table: Field[] = [];
  private tableBytes = 0;
  private limit = TABLE_BYTES;
  private bytes: Buffer = Buffer.alloc(0);
  private at = 0;

  /**
   * Decodes one whole block.
   * @throws {ConnectionError} COMPRESSION_ERROR: the connection cannot go on.
   */
  decode(block: Buffer, onField: (name: string, value: string) => void): void {
    this.bytes = block;
    this.at = 0;
    let sizeMayChange = true;
    while (this.at < block.length) {
      const first = block[this.at] as number;
      if ((first & 0xe0) === 0x20) {
        if (!sizeMayChange) throw fault('a table size update behind a field');
        this.resize(this.integer(5));
        continue;
      }
      sizeMayChange = false;
      const [name, value] = this.field(first);
      onField(name, value);
    }
  }

  private field(first: number): Field {
    if (first >= 0x80) return this.lookUp(this.integer(7));
    const indexed = (first & 0xc0) === 0x40;
    const index = this.integer(indexed ? 6 : 4);
    const name = index === 0 ? this.string() : this.lookUp(index)[0];
    const field: Field = [name, this.string()];
    if (indexed) this.insert(field);
    return field;
  }

  private lookUp(index: number): Field {
    const field =
      index <= STATIC_TABLE.length
        ? STATIC_TABLE[index - 1]
        : this.table[this.table.length - (index - STATIC_TABLE.length)];
    if (field === undefined) throw fault(`no entry ${index} in the header table`);
    return field;
  }

  private insert(field: Field): void {
    this.table.push(field);
    this.tableBytes += sizeOf(field);
    this.evict();
  }

  private resize(limit: number): void {
    if (limit > TABLE_BYTES) throw fault(`a header table of ${limit} bytes`);
    this.limit = limit;
    this.evict();
  }

  private evict(): void {
    while (this.tableBytes > this.limit) {
      const oldest = this.table.shift();
      if (oldest === undefined) return;
      this.tableBytes -= sizeOf(oldest);
    }
  }

  /** An integer with a prefix of so many bits (section 5.1). */
  private integer(prefixBits: number): number {
    const most = 2 ** prefixBits - 1;
    let value = (this.bytes[this.at++] as number) & most;
    if (value < most) return value;
    for (let shift = 0; shift < MAX_INTEGER_BYTES; shift++) {
      const byte = this.bytes[this.at++];
      if (byte === undefined) throw fault('an integer is cut short');
      value += (byte & 0x7f) * 2 ** (7 * shift);
      if (byte < 0x80) return value;
    }
    throw fault('an integer is too large');
  }

  private string(): string {
    const first = this.bytes[this.at];
    if (first === undefined) throw fault('a string is cut short');
    const length = this.integer(7);
    const start = this.at;
    const end = start + length;
    if (end > this.bytes.length) throw fault('a string is cut short');
    this.at = end;
    if (first < 0x80) return this.bytes.toString('latin1', start, end);
    const text = decodeHuffman(this.bytes, start, end);
    if (text === null) throw fault('a Huffman string that is none');
    return text;
  }
}

function sizeOf([name, value]: Field): number {
  return name.length + value.length + ENTRY_OVERHEAD;
}

function fault(message: string): ConnectionError {
  return new ConnectionError(Http2Code.COMPRESSION_ERROR, message);
}
