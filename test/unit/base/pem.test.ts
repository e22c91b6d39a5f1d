import { expect, test } from '@jest/globals';
import { holdsCertificate } from '../../../src/base/pem.js';

test.each([
  ['-----BEGIN CERTIFICATE-----\nMIIB', true],
  ['a comment\n-----BEGIN TRUSTED CERTIFICATE-----', true],
  ['-----BEGIN X509 CERTIFICATE-----', true],
  ['-----BEGIN PRIVATE KEY-----', false],
  ['-----BEGIN CERTIFICATE REQUEST-----', false],
  ['certs/ca.crt', false],
  ['', false],
])('%j holds a certificate: %s', (text, holds) => {
  expect(holdsCertificate(text)).toBe(holds);
  expect(holdsCertificate(Buffer.from(text))).toBe(holds);
});
