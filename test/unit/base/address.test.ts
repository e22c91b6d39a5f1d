import { describe, expect, it } from '@jest/globals';
import { formatAddress, isAnyHost, parseAddress } from '../../../src/base/address.js';

describe('parseAddress', () => {
  it.each([
    ['127.0.0.1:80', '127.0.0.1', 80],
    ['localhost:8453', 'localhost', 8453],
    [':9001', '', 9001],
    ['[::1]:0', '::1', 0],
    ['[fe80::1%eth0]:65535', 'fe80::1%eth0', 65535],
  ])('splits %s at its last colon', (text, host, port) => {
    expect(parseAddress(text)).toEqual({ host, port });
  });

  it.each([
    '',
    'localhost',
    '::1:80',
    'host:',
    'host:65536',
    'host:-1',
    'a b:1',
    '[]:1',
    'http://a:1',
  ])('refuses %p', (text) => {
    expect(parseAddress(text)).toBeNull();
  });

  it('reads back what formatAddress writes', () => {
    for (const [host, port] of [
      ['::1', 8453],
      ['10.0.0.1', 1],
    ] as const) {
      expect(parseAddress(formatAddress(host, port))).toEqual({ host, port });
    }
  });
});

describe('isAnyHost', () => {
  it.each([
    ['', true],
    ['0.0.0.0', true],
    ['::', true],
    ['127.0.0.1', false],
    ['::1', false],
    ['gateway', false],
  ])('of %p is %p', (host, any) => {
    expect(isAnyHost(host)).toBe(any);
  });
});
