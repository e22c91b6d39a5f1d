import { expect, test } from '@jest/globals';
import { holdsCertificate, separatePem } from '../../../src/base/pem.js';

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

const BLOCKS = '-----BEGIN A-----\nMA==\n-----END A-----\n-----BEGIN B-----\n';
test.each([
  ['nothing to do', BLOCKS],
  ['no line end between them', BLOCKS.replace('\n-----BEGIN B', '-----BEGIN B')],
  ['byte order marks', BLOCKS.replaceAll('-----BEGIN', '\uFEFF-----BEGIN')],
])('each block begins a line: %s', (_, pem) => {
  expect(separatePem(pem).toString()).toBe(BLOCKS);
  expect(separatePem(Buffer.from(pem)).toString()).toBe(BLOCKS);
});
