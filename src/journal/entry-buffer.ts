import { JournalEntry, encodeMessage } from '../wire/messages.js';

/** An entry as an object. */
export type EntryProperties = Parameters<typeof JournalEntry.encode>[0];

/** A buffer that grew beyond this for one turn is given back after it. */
const KEPT_BYTES = 1024 * 1024;

const FIRST_BYTES = 16 * 1024;

/** Longest varint of a number below 2^53. */
const MAX_VARINT_BYTES = 8;

/** Fields of JournalEntry and of its kinds (proto/journal.proto), as protobuf writes their tags. */
const FRAME = (1 << 3) | 2;
const ACKNOWLEDGED = (2 << 3) | 2;
const SEEN = (3 << 3) | 2;
const FIRST_NUMBER = (1 << 3) | 0;
const SECOND_NUMBER = (2 << 3) | 0;
const THIRD_NUMBER = (3 << 3) | 0;
const FOURTH_NUMBER = (4 << 3) | 0;
const FOURTH_BYTES = (4 << 3) | 2;

/**
 * Delimited JournalEntry messages one behind the other. The three kinds that every request causes are
 * written here by hand, for an object each would cost more than the rest; all others come through
 * the generated codec.
 */
export class EntryBuffer {
  private bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
  private end = 0;

  get length(): number {
    return this.end;
  }

  /** Everything written so far, as a view: valid until `clear`. */
  view(): Uint8Array {
    return this.bytes.subarray(0, this.end);
  }

  clear(): void {
    this.end = 0;
    if (this.bytes.length > KEPT_BYTES) this.bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
  }

  frame(session: number, msgId: number, clientSeq: number, frame: Uint8Array): void {
    const length =
      numberBytes(session) +
      numberBytes(msgId) +
      numberBytes(clientSeq) +
      1 +
      varintBytes(frame.length) +
      frame.length;
    this.head(FRAME, length);
    this.number(FIRST_NUMBER, session);
    this.number(SECOND_NUMBER, msgId);
    this.number(THIRD_NUMBER, clientSeq);
    this.bytes[this.end++] = FOURTH_BYTES;
    this.varint(frame.length);
    this.bytes.set(frame, this.end);
    this.end += frame.length;
  }

  acknowledged(session: number, seq: number): void {
    this.head(ACKNOWLEDGED, numberBytes(session) + numberBytes(seq));
    this.number(FIRST_NUMBER, session);
    this.number(SECOND_NUMBER, seq);
  }

  /** @param skippedFrom 0 where nothing was skipped. */
  seen(session: number, msgId: number, clientSeq: number, skippedFrom: number): void {
    const length =
      numberBytes(session) + numberBytes(msgId) + numberBytes(clientSeq) + numberBytes(skippedFrom);
    this.head(SEEN, length);
    this.number(FIRST_NUMBER, session);
    this.number(SECOND_NUMBER, msgId);
    this.number(THIRD_NUMBER, clientSeq);
    this.number(FOURTH_NUMBER, skippedFrom);
  }

  /** Any kind. */
  entry(entry: EntryProperties): void {
    const encoded = encodeMessage(JournalEntry, entry);
    this.room(MAX_VARINT_BYTES + encoded.length);
    this.varint(encoded.length);
    this.bytes.set(encoded, this.end);
    this.end += encoded.length;
  }

  /** Lengths and tag before the fields of one kind, with room for all of it. */
  private head(tag: number, length: number): void {
    const entryLength = 1 + varintBytes(length) + length;
    this.room(MAX_VARINT_BYTES + entryLength);
    this.varint(entryLength);
    this.bytes[this.end++] = tag;
    this.varint(length);
  }

  /** A field; like every proto3 writer it leaves zeros out. */
  private number(tag: number, value: number): void {
    if (value === 0) return;
    this.bytes[this.end++] = tag;
    this.varint(value);
  }

  private varint(value: number): void {
    const { bytes } = this;
    let rest = value;
    // Division instead of shifts: numbers go up to 2^53, shifts cut at 2^32.
    while (rest >= 0x80000000) {
      bytes[this.end++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    while (rest >= 128) {
      bytes[this.end++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    bytes[this.end++] = rest;
  }

  private room(bytes: number): void {
    const needed = this.end + bytes;
    if (needed <= this.bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.bytes.length * 2));
    larger.set(this.view());
    this.bytes = larger;
  }
}

/** Bytes of a number field with its tag; none where it is 0. */
function numberBytes(value: number): number {
  return value === 0 ? 0 : 1 + varintBytes(value);
}

function varintBytes(value: number): number {
  let bytes = 1;
  let rest = value;
  while (rest >= 0x80000000) {
    bytes++;
    rest = Math.floor(rest / 128);
  }
  while (rest >= 128) {
    bytes++;
    rest >>>= 7;
  }
  return bytes;
}
