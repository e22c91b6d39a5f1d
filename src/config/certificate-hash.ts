import { X509Certificate, createHash } from 'node:crypto';

/**
 * Longest validity of a certificate that a page may trust by its hash (W3C WebTransport, "custom certificate
 * requirements").
 */
export const MAX_HASHED_DAYS = 14;
const DAY_MS = 86_400_000;

/**
 * The SHA-256 of a certificate, base64: what pages give in `serverCertificateHashes`.
 * @param cert PEM; of a chain the first.
 */
export function certificateHash(cert: Buffer | string): string {
  return createHash('sha256').update(new X509Certificate(cert).raw).digest('base64');
}

/** Whether browsers let a page trust this certificate by its hash: ECDSA P-256, valid at most MAX_HASHED_DAYS. */
export function mayBeTrustedByHash(cert: Buffer | string): boolean {
  const { publicKey, validFrom, validTo } = new X509Certificate(cert);
  const curve = publicKey.asymmetricKeyDetails?.namedCurve;
  const validMs = Date.parse(validTo) - Date.parse(validFrom);
  return curve === 'prime256v1' && validMs <= MAX_HASHED_DAYS * DAY_MS;
}
