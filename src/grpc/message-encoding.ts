import { gunzipSync, inflateSync } from 'node:zlib';

/** What a server takes, in the words of `grpc-accept-encoding`. */
export const ACCEPTED_ENCODINGS = 'identity,deflate,gzip';

/** How compressed messages of a call are read: at once, for a message is limited in size. */
export type Decompressor = (message: Uint8Array, maxBytes: number) => Buffer;

const DECOMPRESSORS: Readonly<Record<string, Decompressor>> = {
  gzip: (message, maxBytes) => gunzipSync(message, { maxOutputLength: maxBytes }),
  deflate: (message, maxBytes) => inflateSync(message, { maxOutputLength: maxBytes }),
};

/**
 * By the value of `grpc-encoding` (grpc/grpc, doc/compression.md).
 * @returns null where messages are not compressed, undefined for an encoding that is not taken.
 */
export function decompressorOf(encoding: string | undefined): Decompressor | null | undefined {
  if (encoding === undefined || encoding === 'identity') return null;
  return Object.hasOwn(DECOMPRESSORS, encoding) ? DECOMPRESSORS[encoding] : undefined;
}

/** Whether decompressing failed because the message is larger than was allowed. */
export function isTooLarge(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
}
