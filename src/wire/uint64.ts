import protobuf from 'protobufjs/minimal.js';

type Long = ReturnType<protobuf.Reader['uint64']>;

/** A 64-bit field held a number that JavaScript cannot count exactly, or the bytes were no varint. */
export class Uint64RangeError extends RangeError {}

/** A message has more fields than its reader takes. */
export class FieldCountError extends RangeError {}

/** More than there is room for in any message: a field has at least two bytes. */
const UNLIMITED_FIELDS = 2 ** 30;

/** Reads text out of Node's Buffers, which is several times faster; browsers have none. */
const NativeReader: typeof protobuf.Reader =
  typeof Buffer === 'undefined' ? protobuf.Reader : protobuf.BufferReader;

/**
 * A protobuf reader for bytes from the network: 64-bit integers come out as plain numbers, anything
 * outside +-2^53 throws instead of losing digits, and unknown fields are not kept. What a small field
 * costs, an entry of a map above all, is many times its bytes: fields may be limited beside them.
 *
 * Bytes fields alias the buffer that was read; copy what outlives it.
 */
export class CheckedReader extends NativeReader {
  private fieldsLeft: number;

  /**
   * @param maxFields how many fields it reads, those of messages within counted; an entry of a map is
   *   three: itself, its key and its value. The next one throws FieldCountError.
   */
  constructor(
    bytes: Uint8Array,
    private readonly maxFields = UNLIMITED_FIELDS,
  ) {
    super(native(bytes));
    this.discardUnknown = true;
    this.fieldsLeft = maxFields;
  }

  override tag(): number {
    if (--this.fieldsLeft < 0) throw new FieldCountError(`more than ${this.maxFields} fields`);
    return super.tag();
  }

  // The generated types say number (--force-number); only the base class still says Long.
  override uint64(): Long {
    return exact(readUint64(this)) as unknown as Long;
  }

  override int64(): Long {
    return exact(readInt64(this)) as unknown as Long;
  }
}

/** Highest double that an int64 holds. */
const MAX_INT64 = 2 ** 63 - 1024;

/**
 * Reads what clients send: a 64-bit number outside +-2^53 is rounded to the nearest double instead of making the
 * message unreadable, for there is a right answer to each: no sequence number is that high, and a timestamp is sent back.
 */
export class ClientReader extends CheckedReader {
  override uint64(): Long {
    return readUint64(this) as unknown as Long;
  }

  override int64(): Long {
    return Math.min(readInt64(this), MAX_INT64) as unknown as Long;
  }
}

/** The same bytes as the type that this platform reads best. */
function native(bytes: Uint8Array): Uint8Array {
  if (typeof Buffer === 'undefined' || Buffer.isBuffer(bytes)) return bytes;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

function exact(value: number): number {
  if (Number.isSafeInteger(value)) return value;
  throw new Uint64RangeError(`number ${value < 0 ? 'below -2^53' : 'above 2^53'}`);
}

/** Reads the varint at the reader's position in base 128 (protobuf encoding guide, "Varints"), above 2^53 rounded. */
function readUint64(reader: protobuf.Reader): number {
  let value = 0;
  let unit = 1;
  for (let index = 0; index < 10; index++) {
    if (reader.pos >= reader.len) throw new RangeError('varint runs past the end of the message');
    const byte = reader.buf[reader.pos++] as number;
    value += (byte & 0x7f) * unit;
    if (byte < 0x80) return value;
    unit *= 128;
  }
  throw new RangeError('varint longer than 10 bytes');
}

/** As readUint64, two's complement: timestamps are the only signed 64-bit fields. */
function readInt64(reader: protobuf.Reader): number {
  const start = reader.pos;
  let value = 0n;
  for (let index = 0; index < 10; index++) {
    if (reader.pos >= reader.len) throw new RangeError('varint runs past the end of the message');
    const byte = reader.buf[reader.pos++] as number;
    if (byte < 0x80 && index < 7) {
      reader.pos = start;
      return readUint64(reader);
    }
    value |= BigInt(byte & 0x7f) << BigInt(7 * index);
    if (byte < 0x80) return Number(BigInt.asIntN(64, value));
  }
  throw new RangeError('varint longer than 10 bytes');
}

/**
 * Returns `value` if protobufjs encodes it unchanged; it would write 0 for NaN and wrap negatives.
 * @throws {Uint64RangeError} for anything but an integer from 0 to 2^53 - 1.
 */
export function checkedUint64(value: number): number {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new Uint64RangeError(`${String(value)} is not an integer from 0 to 2^53 - 1`);
  }
  return value;
}
