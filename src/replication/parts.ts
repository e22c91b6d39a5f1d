import { crc32c } from '../journal/crc32c.js';
import { FromPrimary, Part, decodeMessage, encodeMessage } from '../wire/messages.js';
import type { FromPrimary as FromPrimaryMessage } from '../wire/messages.js';

/** A Shipment as it is decoded. */
export type ShipmentFields = NonNullable<FromPrimaryMessage['shipment']>;

/** One part of the stream from primary to standby. */
export type PartContent =
  | { readonly chunk: { readonly position: number; readonly records: Uint8Array[] } }
  | { readonly snapshotEnd: { epoch: number; position: number; records: number } }
  | { readonly batch: { first: number; count: number; entries: Uint8Array; more?: boolean } }
  | { readonly fragment: { readonly bytes: Uint8Array; readonly last: boolean } };

/**
 * A larger content travels in fragments: a session's outbox may be larger than any gRPC message, and
 * what is on its way unconfirmed is counted by message.
 */
export const FRAGMENT_BYTES = 1024 * 1024;

/** The bytes of a message FromPrimary with one numbered, checksummed part. */
export function encodePart(number: number, content: PartContent): Uint8Array {
  const part = encodeMessage(Part, new Part({ number, ...content }));
  const message = new FromPrimary({ shipment: { part, checksum: crc32c(part) } });
  return encodeMessage(FromPrimary, message);
}

/** A content as it is sent: itself, or the fragments of one that is too large for a message. */
export function inMessages(content: PartContent): PartContent[] {
  if (sizeOf(content) <= FRAGMENT_BYTES) return [content];
  const whole = encodeMessage(Part, new Part(content));
  const fragments: PartContent[] = [];
  for (let start = 0; start < whole.length; start += FRAGMENT_BYTES) {
    const bytes = whole.subarray(start, start + FRAGMENT_BYTES);
    fragments.push({ fragment: { bytes, last: start + FRAGMENT_BYTES >= whole.length } });
  }
  return fragments;
}

function sizeOf(content: PartContent): number {
  if ('batch' in content) return content.batch.entries.length;
  if (!('chunk' in content)) return 0;
  return content.chunk.records.reduce((sum, record) => sum + record.length, 0);
}

/**
 * Opens a shipment. @throws {RangeError} where its checksum is wrong; {Error} where it is no Part.
 */
export function decodePart(shipment: ShipmentFields): Part {
  const part = shipment.part ?? new Uint8Array(0);
  if (crc32c(part) !== shipment.checksum) throw new RangeError('a wrong checksum');
  return decodeMessage(Part, part);
}
