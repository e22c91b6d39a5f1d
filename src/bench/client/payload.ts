/** What a payload needs to tell pieces of work apart. */
export const MIN_PAYLOAD_BYTES = 4;

/** Writes the bytes that belong to a number: itself, then its lowest byte all over. */
export function fillPayload(bytes: Buffer, number: number): void {
  bytes.fill(number & 0xff, MIN_PAYLOAD_BYTES);
  bytes.writeUInt32BE(number >>> 0, 0);
}
