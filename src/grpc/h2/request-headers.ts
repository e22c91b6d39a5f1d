import type { ConnectionTarget } from '../call-connection.js';
import type { FrameWriter } from './frame-writer.js';
import { Flag, FrameType } from './frames.js';

/** Where a name stands in the static table (RFC 7541 appendix A); 0: nowhere. */
const STATIC_NAMES: Readonly<Record<string, number>> = {
  ':authority': 1,
  ':path': 4,
  'content-type': 31,
  'user-agent': 58,
  authorization: 23,
};
const METHOD_POST = 0x80 | 3;
const SCHEME_HTTP = 0x80 | 6;
const SCHEME_HTTPS = 0x80 | 7;
const STATIC_ENTRIES = 61;
const NO_TABLE = 0x20;
const NO_FIELD = Buffer.alloc(0);
/** What every decoder keeps until it says otherwise; this encoder never fills it, so nothing is evicted. */
const TABLE_BYTES = 4_096;
const ENTRY_OVERHEAD = 32;

/**
 * Encodes the headers of gRPC requests. Everything that repeats goes into the peer's dynamic table with the first
 * request, so that a later one takes some ten bytes. A peer that wants a smaller table than the
 * default gets literals.
 */
export class RequestHeaders {
  /** Number of insertion, by `name: value`. */
  private readonly inserted = new Map<string, number>();
  private insertions = 0;
  private tableBytes = 0;
  private indexing = true;
  /** Said once, at the start of the next block. */
  private dropTable = false;
  /** Blocks that are indices only, by method; void after an insertion. */
  private readonly blocks = new Map<string, Buffer>();
  private commonTimeout: string | null = null;
  private timeoutText = '';
  private timeoutField: Buffer | null = null;

  /** @param common fields of every request, in order, beside method, scheme and path. */
  constructor(
    private readonly secure: boolean,
    private readonly common: readonly (readonly [name: string, value: string])[],
  ) {}

  /** Those of every call to a target. */
  static of({ tls, authority, authorization }: ConnectionTarget): RequestHeaders {
    return new RequestHeaders(tls !== null, [
      [':authority', authority],
      ['content-type', 'application/grpc'],
      ['te', 'trailers'],
      ['user-agent', 'gatesvr'],
      ...(authorization === null ? [] : [['authorization', authorization] as const]),
    ]);
  }

  /** The peer's SETTINGS_HEADER_TABLE_SIZE. */
  limitTable(bytes: number): void {
    if (bytes >= TABLE_BYTES || !this.indexing) return;
    this.indexing = false;
    this.dropTable = true;
    this.blocks.clear();
    this.timeoutField = null;
  }

  /** Writes the HEADERS frame of a request. @param timeout as `grpc-timeout` wants it; null: none. */
  write(writer: FrameWriter, streamId: number, method: string, timeout: string | null): void {
    const block = this.block(method);
    const field = timeout === null ? NO_FIELD : this.timeout(timeout);
    const length = block.length + field.length;
    writer.head(length, FrameType.HEADERS, Flag.END_HEADERS, streamId);
    writer.bytes(block);
    writer.bytes(field);
  }

  /** The block of a request but for its timeout, which `timeout` gives. Both belong to the encoder. */
  block(method: string): Buffer {
    const cached = this.blocks.get(method);
    if (cached !== undefined) return cached;
    const before = this.insertions;
    const wasDropping = this.dropTable;
    this.dropTable = false;
    const fields: Buffer[] = [
      ...(wasDropping ? [Buffer.of(NO_TABLE)] : []),
      Buffer.of(METHOD_POST, this.secure ? SCHEME_HTTPS : SCHEME_HTTP),
      this.field(':path', method),
      ...this.common.map(([name, value]) => this.field(name, value)),
    ];
    const block = Buffer.concat(fields);
    // Only what inserts nothing may be said again.
    if (this.insertions === before && !wasDropping) this.blocks.set(method, block);
    else this.blocks.clear();
    return block;
  }

  /** The field that follows `block`. The first one given is kept in the table: most requests have it. */
  timeout(text: string): Buffer {
    if (text === this.timeoutText && this.timeoutField !== null) return this.timeoutField;
    const first = this.commonTimeout === null;
    this.commonTimeout ??= text;
    const field =
      this.commonTimeout === text
        ? this.field('grpc-timeout', text)
        : literal('grpc-timeout', text, 0x00);
    if (first) {
      this.blocks.clear();
    } else {
      this.timeoutText = text;
      this.timeoutField = field;
    }
    return field;
  }

  private field(name: string, value: string): Buffer {
    const key = `${name}: ${value}`;
    const number = this.inserted.get(key);
    if (this.indexing && number !== undefined) {
      return integer(STATIC_ENTRIES + this.insertions - number, 7, 0x80);
    }
    const bytes = Buffer.byteLength(name) + Buffer.byteLength(value) + ENTRY_OVERHEAD;
    if (!this.indexing || this.tableBytes + bytes > TABLE_BYTES) return literal(name, value, 0x00);
    this.tableBytes += bytes;
    this.inserted.set(key, this.insertions++);
    this.timeoutField = null;
    return literal(name, value, 0x40);
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
