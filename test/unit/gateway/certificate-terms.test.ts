import { expect, test } from '@jest/globals';
import { endWarning, firstToEnd } from '../../../src/gateway/certificate-terms.js';

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

/** Certificates of one file, by the days until their ends. */
const endingIn = (key: string, ...days: readonly number[]) =>
  days.map((day) => ({ key, named: key, begins: 0, ends: ENDS + day * DAY_MS }));

test.each([
  ['a chain ends with its first to end', 'server.cert_file', [80, 3, 900], 3],
  ['a chain is broken by one that is over', 'server.cert_file', [80, -3], -3],
  ['an authority ends though another goes on', 'grpc.tls.client_ca_file', [900, 3], 3],
  ['an authority that is over is a leftover', 'grpc.tls.client_ca_file', [-3, 900], 900],
  ['authorities that are all over are none', 'upstream_tls.ca_file', [-3, -9], -9],
])('%s', (_, key, days, expected) => {
  const first = firstToEnd(endingIn(key, ...days), ENDS);
  expect(first?.ends).toBe(ENDS + expected * DAY_MS);
});
