import { LiteralReader } from '../../base/literal-reader.js';
import { Http2Code } from '../status-mapping.js';
import { ConnectionError } from './connection-error.js';
import { ENTRY_OVERHEAD, STATIC_TABLE, TABLE_BYTES } from './hpack-tables.js';

type Field = readonly [name: string, value: string];

/** Decodes the header blocks of one connection, in order (RFC 7541). */
export class HpackDecoder {
  /** The dynamic table, oldest first. */
  private readonly table: Field[] = [];
  private tableBytes = 0;
  private limit = TABLE_BYTES;
  private readonly reader = new LiteralReader(fault);

  /**
   * Decodes one whole block.
   * @throws {ConnectionError} COMPRESSION_ERROR: the connection cannot go on.
   */
  decode(block: Buffer, onField: (name: string, value: string) => void): void {
    const { reader } = this;
    reader.begin(block);
    let sizeMayChange = true;
    while (!reader.ended) {
      const first = reader.next;
      if ((first & 0xe0) === 0x20) {
        if (!sizeMayChange) throw fault('a table size update behind a field');
        this.resize(reader.integer(5));
        continue;
      }
      sizeMayChange = false;
      const [name, value] = this.field(first);
      onField(name, value);
    }
  }

  private field(first: number): Field {
    const { reader } = this;
    if (first >= 0x80) return this.lookUp(reader.integer(7));
    const indexed = (first & 0xc0) === 0x40;
    const index = reader.integer(indexed ? 6 : 4);
    const name = index === 0 ? reader.string(7) : this.lookUp(index)[0];
    const field: Field = [name, reader.string(7)];
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
}

function sizeOf([name, value]: Field): number {
  return name.length + value.length + ENTRY_OVERHEAD;
}

function fault(message: string): ConnectionError {
  return new ConnectionError(Http2Code.COMPRESSION_ERROR, message);
}
