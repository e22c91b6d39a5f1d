import { ENTRY_OVERHEAD, STATIC_TABLE, TABLE_BYTES } from './hpack-tables.js';

/** Where a name stands in the static table (RFC 7541 appendix A); 0: nowhere. */
const STATIC_NAMES: Readonly<Record<string, number>> = {
  ':authority': 1,
  ':path': 4,
  ':status': 8,
  'content-type': 31,
  'user-agent': 58,
  authorization: 23,
};
const NO_TABLE = Buffer.of(0x20);
const NOTHING = Buffer.alloc(0);

/**
 * Encodes the header fields of one connection (RFC 7541). What repeats goes into the peer's dynamic table when it is
 * first said and takes a byte or two from then on. A peer that wants a smaller table than the default gets
 * literals. It never fills the table, so that nothing is evicted.
 */
export class HeaderEncoder {
  /** How often the table was changed: what was encoded before the last change may not be said again. */
  changes = 0;
  /** Number of insertion, by `name: value`. */
  private readonly inserted = new Map<string, number>();
  private tableBytes = 0;
  private indexing = true;
  /** Said once, at the start of the next block. */
  private dropTable = false;

  /** The peer's SETTINGS_HEADER_TABLE_SIZE. */
  limitTable(bytes: number): void {
    if (bytes >= TABLE_BYTES || !this.indexing) return;
    this.indexing = false;
    this.dropTable = true;
    this.changes++;
  }

  /** What a block must begin with: mostly nothing. */
  opening(): Buffer {
    if (!this.dropTable) return NOTHING;
    this.dropTable = false;
    this.changes++;
    return NO_TABLE;
  }

  /** A field that repeats. */
  field(name: string, value: string): Buffer {
    const key = `${name}: ${value}`;
    const number = this.inserted.get(key);
    if (this.indexing && number !== undefined) {
      return integer(STATIC_TABLE.length + this.inserted.size - number, 7, 0x80);
    }
    const bytes = Buffer.byteLength(name) + Buffer.byteLength(value) + ENTRY_OVERHEAD;
    if (!this.indexing || this.tableBytes + bytes > TABLE_BYTES) return literal(name, value, 0x00);
    this.tableBytes += bytes;
    this.inserted.set(key, this.inserted.size);
    this.changes++;
    return literal(name, value, 0x40);
  }

  /** A field that does not repeat, or whose value is too long to be kept. */
  once(name: string, value: string): Buffer {
    return literal(name, value, 0x00);
  }
}

/** A literal field (RFC 7541 section 6.2); `kind` 0x40 goes into the table, 0x00 does not. */
function literal(name: string, value: string, kind: 0x40 | 0x00): Buffer {
  const index = STATIC_NAMES[name] ?? 0;
  const head = integer(index, kind === 0x40 ? 6 : 4, kind);
  return Buffer.concat([head, ...(index === 0 ? [text(name)] : []), text(value)]);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1');
  return Buffer.concat([integer(bytes.length, 7, 0), bytes]);
}

/** An integer behind the high bits of its first byte (RFC 7541 section 5.1). */
function integer(value: number, prefixBits: number, high: number): Buffer {
  const most = 2 ** prefixBits - 1;
  if (value < most) return Buffer.of(high | value);
  const bytes = [high | most];
  let left = value - most;
  for (; left >= 0x80; left >>>= 7) bytes.push((left & 0x7f) | 0x80);
  bytes.push(left);
  return Buffer.from(bytes);
}
