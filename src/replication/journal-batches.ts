import type { JournalBatch } from '../journal/journal.js';

/**
 * Cuts a batch into such of at most `maxEntries` entries, in order; its bytes are views.
 * @throws {RangeError} where the bytes do not hold as many delimited entries as the batch says.
 */
export function splitBatch(batch: JournalBatch, maxEntries: number): JournalBatch[] {
  if (batch.count <= maxEntries) return [batch];
  const parts: JournalBatch[] = [];
  let start = 0;
  for (let done = 0; done < batch.count; done += maxEntries) {
    const count = Math.min(maxEntries, batch.count - done);
    const end = skipEntries(batch.bytes, start, count);
    parts.push({ first: batch.first + done, count, bytes: batch.bytes.subarray(start, end) });
    start = end;
  }
  return parts;
}

function skipEntries(bytes: Uint8Array, start: number, count: number): number {
  let offset = start;
  for (let entry = 0; entry < count; entry++) {
    let length = 0;
    let unit = 1;
    let byte: number;
    do {
      byte = bytes[offset++] ?? Number.NaN;
      length += (byte & 0x7f) * unit;
      unit *= 128;
    } while (byte >= 0x80);
    offset += length;
    if (!(offset <= bytes.length)) throw new RangeError('a journal batch ends within an entry');
  }
  return offset;
}
