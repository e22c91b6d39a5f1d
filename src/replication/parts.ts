import { crc32c } from '../journal/crc32c.js';
import type { JournalBatch } from '../journal/journal.js';
import { FromPrimary, Part, StateRecord, decodeMessage, encodeMessage } from '../wire/messages.js';
import type { FromPrimary as FromPrimaryMessage } from '../wire/messages.js';

/** A Shipment as it is decoded. */
export type ShipmentFields = NonNullable<FromPrimaryMessage['shipment']>;

/** One part of the stream from primary to standby. */
export type PartContent =
  | { readonly chunk: { readonly records: Uint8Array[] } }
  | { readonly snapshotEnd: { epoch: number; position: number; records: number } }
  | { readonly batch: { first: number; count: number; entries: Uint8Array } };

/** The bytes of a message FromPrimary with one numbered, checksummed part. */
export function encodePart(number: number, content: PartContent): Uint8Array {
  const part = encodeMessage(Part, new Part({ number, ...content }));
  const message = new FromPrimary({ shipment: { part, checksum: crc32c(part) } });
  return encodeMessage(FromPrimary, message);
}

/** A batch as content of a part. Its bytes are copied when it is encoded. */
export function batchContent({ first, count, bytes }: JournalBatch): PartContent {
  return { batch: { first, count, entries: bytes } };
}

/** Records of a snapshot are sent together up to so many bytes: well below what a message may hold. */
const CHUNK_BYTES = 256 * 1024;

/** A whole snapshot as contents of parts, read at once: its records, then its end. */
export function snapshotContents(
  records: Iterable<StateRecord>,
  epoch: number,
  position: number,
): PartContent[] {
  const contents: PartContent[] = [];
  let chunk: Uint8Array[] = [];
  let bytes = 0;
  let count = 0;
  for (const record of records) {
    const encoded = encodeMessage(StateRecord, record);
    if (bytes > 0 && bytes + encoded.length > CHUNK_BYTES) {
      contents.push({ chunk: { records: chunk } });
      chunk = [];
      bytes = 0;
    }
    chunk.push(encoded);
    bytes += encoded.length;
    count++;
  }
  if (chunk.length > 0) contents.push({ chunk: { records: chunk } });
  contents.push({ snapshotEnd: { epoch, position, records: count } });
  return contents;
}

/**
 * Opens a shipment. @throws {RangeError} where its checksum is wrong; {Error} where it is no Part.
 */
export function decodePart(shipment: ShipmentFields): Part {
  const part = shipment.part ?? new Uint8Array(0);
  if (crc32c(part) !== shipment.checksum) throw new RangeError('a wrong checksum');
  return decodeMessage(Part, part);
}
