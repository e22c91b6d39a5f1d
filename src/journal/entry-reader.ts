/** Longest varint of a length that fits into memory. */
const MAX_LENGTH_BYTES = 5;

/** Takes the delimited entries of a batch apart. */
export class EntryReader {
  private offset = 0;

  constructor(private readonly bytes: Uint8Array) {}

  /**
   * The bytes of the next entry as a view, or null at the end.
   * @throws {RangeError} where the bytes do not end with an entry.
   */
  next(): Uint8Array | null {
    const { bytes } = this;
    if (this.offset === bytes.length) return null;
    const length = this.length();
    const end = this.offset + length;
    if (end > bytes.length) throw new RangeError('an entry runs past the end of its batch');
    const entry = bytes.subarray(this.offset, end);
    this.offset = end;
    return entry;
  }

  private length(): number {
    let value = 0;
    let unit = 1;
    for (let index = 0; index < MAX_LENGTH_BYTES && this.offset < this.bytes.length; index++) {
      const byte = this.bytes[this.offset++] as number;
      value += (byte & 0x7f) * unit;
      if (byte < 0x80) return value;
      unit *= 128;
    }
    throw new RangeError('the length of an entry cannot be read');
  }
}
