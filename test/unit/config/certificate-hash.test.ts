import { expect, it } from '@jest/globals';
import { X509Certificate } from 'node:crypto';
import {
  MAX_HASHED_DAYS,
  certificateHash,
  mayBeTrustedByHash,
} from '../../../src/config/certificate-hash.js';
import { makeCertificates } from '../../../src/config/certificates.js';

it('is the SHA-256 of the first certificate, and what may be trusted by it is short-lived', async () => {
  const made = await makeCertificates({ days: MAX_HASHED_DAYS });
  const { fingerprint256 } = new X509Certificate(made.certificate);
  const hash = certificateHash(`${made.certificate}${made.ca}`);
  expect(Buffer.from(hash, 'base64').toString('hex')).toBe(
    fingerprint256.replaceAll(':', '').toLowerCase(),
  );
  expect(mayBeTrustedByHash(made.certificate)).toBe(true);
  const { certificate } = await makeCertificates({ days: MAX_HASHED_DAYS + 1 });
  expect(mayBeTrustedByHash(certificate)).toBe(false);
});
