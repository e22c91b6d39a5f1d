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

/**
 * A message as it was before the peer compressed it.
 * @param onUnusable hears why there is none: then null is returned.
 */
export function decompress(
  message: Uint8Array,
  decompressor: Decompressor,
  maxBytes: number,
  onUnusable: (tooLarge: boolean, reason: string) => void,
): Buffer | null {
  try {
    return decompressor(message, maxBytes);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      onUnusable(true, `a message above the limit of ${maxBytes} bytes`);
    } else onUnusable(false, 'a message that cannot be decompressed');
    return null;
  }
}
