import { expect, test } from '@jest/globals';
import { endWarning } from '../../../src/gateway/certificate-ends.js';

const DAY_MS = 86_400_000;
const ENDS = Date.UTC(2026, 2, 31, 12);

test.each([
  ['15 days before', 15, null],
  ['5 days before', 5, 'grpc.tls.cert_file expires on 2026-03-31: renew it'],
  ['a day after', -1, 'grpc.tls.cert_file expired on 2026-03-31: renew it'],
])('what is said of the end of a certificate %s', (_, days, expected) => {
  expect(endWarning('grpc.tls.cert_file', ENDS, ENDS - days * DAY_MS)).toBe(expected);
});
