import type { JournalBatch } from '../journal/journal.js';

/**
 * Cuts a batch into such of at most `maxEntries` entries and `maxBytes`, in order; its bytes are views.
 * An entry that is larger by itself is a batch of its own.
 * @throws {RangeError} where the bytes do not hold as many delimited entries as the batch says.
 */
export function splitBatch(
  batch: JournalBatch,
  maxEntries: number,
  maxBytes: number,
): JournalBatch[] {
  if (batch.count <= maxEntries && batch.bytes.length <= maxBytes) return [batch];
  const { bytes } = batch;
  const parts: JournalBatch[] = [];
  let start = 0;
  let first = 0;
  let end = 0;
  for (let entry = 0; entry < batch.count; entry++) {
    const next = endOfEntry(bytes, end);
    if (entry > first && (entry - first >= maxEntries || next - start > maxBytes)) {
      const count = entry - first;
      parts.push({ first: batch.first + first, count, bytes: bytes.subarray(start, end) });
      start = end;
      first = entry;
    }
    end = next;
  }
  const count = batch.count - first;
  parts.push({ first: batch.first + first, count, bytes: bytes.subarray(start, end) });
  return parts;
}

/** Where the delimited entry at `start` ends. */
function endOfEntry(bytes: Uint8Array, start: number): number {
  let offset = start;
  let length = 0;
  let unit = 1;
  let byte: number;
  do {
    byte = bytes[offset++] ?? Number.NaN;
    length += (byte & 0x7f) * unit;
    unit *= 128;
  } while (byte >= 0x80);
  const end = offset + length;
  if (!(end <= bytes.length)) throw new RangeError('a journal batch ends within an entry');
  return end;
}
