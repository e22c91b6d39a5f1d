import type { CertificateHash } from './platform.js';

/** SHA-256. */
const HASH_BYTES = 32;

/**
 * Reads hashes of certificates as people have them: hex, with colons or without, or base64.
 * @throws {RangeError} where one has not 32 bytes.
 */
export function certificateHashes(
  hashes: readonly (string | Uint8Array)[],
): readonly CertificateHash[] {
  return hashes.map((hash) => {
    const value = typeof hash === 'string' ? bytesOf(hash) : hash;
    if (value?.length === HASH_BYTES) return { algorithm: 'sha-256', value };
    throw new RangeError(
      `certificateHashes: ${String(hash)} is no SHA-256; give 32 bytes, as hex, base64 or as they are`,
    );
  });
}

function bytesOf(text: string): Uint8Array | null {
  if (/^[\w+/]{43}=$/.test(text)) return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const digits = text.replaceAll(':', '');
  if (!/^[0-9a-fA-F]*$/.test(digits)) return null;
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
