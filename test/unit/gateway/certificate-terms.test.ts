import { expect, test } from '@jest/globals';
import { endWarning } from '../../../src/gateway/certificate-terms.js';

const DAY_MS = 86_400_000;
const ENDS = Date.UTC(2026, 2, 31, 12);
const EXPIRES = 'grpc.tls.cert_file expires on 2026-03-31: renew it';

test.each([
  ['of 90 days, 15 before its end', 90, 15, null],
  ['of 90 days, 13 before its end', 90, 13, EXPIRES],
  ['of 14 days, 13 before its end', 14, 13, null],
  ['of 14 days, 4 before its end', 14, 4, EXPIRES],
  ['of 90 days, a day after its end', 90, -1, EXPIRES.replace('expires', 'expired')],
])('what is said of a certificate %s', (_, lifetime, days, expected) => {
  const term = { begins: ENDS - lifetime * DAY_MS, ends: ENDS };
  expect(endWarning('grpc.tls.cert_file', term, ENDS - days * DAY_MS)).toBe(expected);
});
