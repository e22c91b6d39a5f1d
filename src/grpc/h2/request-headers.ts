import type { ConnectionTarget } from '../call-connection.js';
import type { FrameWriter } from './frame-writer.js';
import { Flag, FrameType } from './frames.js';
import { HeaderEncoder } from './header-encoder.js';

const METHOD_POST = 0x80 | 3;
const SCHEME_HTTP = 0x80 | 6;
const SCHEME_HTTPS = 0x80 | 7;
const NO_FIELD = Buffer.alloc(0);

/** Encodes the headers of gRPC requests; a later one takes some ten bytes. */
export class RequestHeaders {
  private readonly encoder = new HeaderEncoder();
  /** Blocks that are indices only, by method; void after a change of the table. */
  private readonly blocks = new Map<string, Buffer>();
  private blocksAt = 0;
  private commonTimeout: string | null = null;
  private timeoutText = '';
  private timeoutField: Buffer | null = null;
  private timeoutAt = 0;

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
    this.encoder.limitTable(bytes);
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
    const { encoder } = this;
    const before = encoder.changes;
    if (this.blocksAt === before) {
      const cached = this.blocks.get(method);
      if (cached !== undefined) return cached;
    } else {
      this.blocks.clear();
      this.blocksAt = before;
    }
    const fields: Buffer[] = [
      encoder.opening(),
      Buffer.of(METHOD_POST, this.secure ? SCHEME_HTTPS : SCHEME_HTTP),
      encoder.field(':path', method),
      ...this.common.map(([name, value]) => encoder.field(name, value)),
    ];
    const block = Buffer.concat(fields);
    // Only what changes nothing may be said again.
    if (encoder.changes === before) this.blocks.set(method, block);
    return block;
  }

  /** The field that follows `block`. The first one given is kept in the table: most requests have it. */
  timeout(text: string): Buffer {
    const { encoder } = this;
    const before = encoder.changes;
    if (text === this.timeoutText && this.timeoutField !== null && this.timeoutAt === before) {
      return this.timeoutField;
    }
    this.commonTimeout ??= text;
    const field =
      this.commonTimeout === text
        ? encoder.field('grpc-timeout', text)
        : encoder.once('grpc-timeout', text);
    if (encoder.changes === before) {
      this.timeoutText = text;
      this.timeoutField = field;
      this.timeoutAt = before;
    }
    return field;
  }
}
