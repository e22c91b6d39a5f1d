import { decodeHuffman } from './huffman.js';

/** An integer of more bytes is above any length that we accept. */
const MAX_INTEGER_BYTES = 5;

/**
 * Reads the integers and strings that HPACK and QPACK are made of (RFC 7541 section 5, RFC 9204
 * section 4.1).
 */
export class LiteralReader {
  private bytes: Buffer = Buffer.alloc(0);
  private at = 0;

  /** @param fault makes the error of whoever reads: what was read is not of its format. */
  constructor(private readonly fault: (message: string) => Error) {}

  /** Reads from the start of these bytes on. */
  begin(bytes: Buffer): void {
    this.bytes = bytes;
    this.at = 0;
  }

  get ended(): boolean {
    return this.at >= this.bytes.length;
  }

  /** The byte that comes next, which stays; only where it has not ended. */
  get next(): number {
    return this.bytes[this.at] as number;
  }

  /** An integer with a prefix of so many bits. @throws the fault */
  integer(prefixBits: number): number {
    const most = 2 ** prefixBits - 1;
    const first = this.bytes[this.at++];
    if (first === undefined) throw this.fault('an integer is cut short');
    let value = first & most;
    if (value < most) return value;
    for (let shift = 0; shift < MAX_INTEGER_BYTES; shift++) {
      const byte = this.bytes[this.at++];
      if (byte === undefined) throw this.fault('an integer is cut short');
      value += (byte & 0x7f) * 2 ** (7 * shift);
      if (byte < 0x80) return value;
    }
    throw this.fault('an integer is too large');
  }

  /**
   * A string whose length has a prefix of so many bits, as Latin-1 text; the bit above says whether
   * it is Huffman-coded. @throws the fault
   */
  string(prefixBits: number): string {
    const first = this.bytes[this.at];
    if (first === undefined) throw this.fault('a string is cut short');
    const length = this.integer(prefixBits);
    const start = this.at;
    const end = start + length;
    if (end > this.bytes.length) throw this.fault('a string is cut short');
    this.at = end;
    if ((first & (1 << prefixBits)) === 0) return this.bytes.toString('latin1', start, end);
    const text = decodeHuffman(this.bytes, start, end);
    if (text === null) throw this.fault('an invalid Huffman string');
    return text;
  }
}
