import { describe, expect, test } from '@jest/globals';
import type { Socket } from 'node:net';
import { ClientAddresses } from '../../../src/base/client-address.js';
import { Networks } from '../../../src/base/networks.js';

const addresses = new ClientAddresses(new Networks('k', ['10.0.0.0/8', 'fd00::/8']));

function of(peer: string, forwarded?: string): string {
  const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded };
  const socket = { remoteAddress: peer, remotePort: 4711 } as Socket;
  return addresses.of({ headers, socket });
}

describe('who is behind a trusted proxy', () => {
  test.each([
    ['10.0.0.1', '203.0.113.7', '203.0.113.7:0'],
    ['::ffff:10.0.0.1', '203.0.113.7', '203.0.113.7:0'],
    ['fd00::1', '2001:db8::7', '[2001:db8::7]:0'],
    ['10.0.0.1', '[2001:db8::7]:443', '[2001:db8::7]:0'],
    ['10.0.0.1', '[2001:db8::7]', '[2001:db8::7]:0'],
    ['10.0.0.1', '203.0.113.7:51111', '203.0.113.7:0'],
    // Two proxies of ours; what stands left of the client the client wrote itself.
    ['10.0.0.1', '198.51.100.1, 203.0.113.7, 10.9.9.9', '203.0.113.7:0'],
    ['10.0.0.1', 'whatever, 203.0.113.7', '203.0.113.7:0'],
    ['10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3:0'],
  ])('%s with %s: %s', (peer, forwarded, client) => {
    expect(of(peer, forwarded)).toBe(client);
  });

  test.each([
    ['untrusted', '203.0.113.9', '198.51.100.1'],
    ['no header', '10.0.0.1', undefined],
    ['empty', '10.0.0.1', ''],
    ['a name', '10.0.0.1', 'client.example'],
    ['malformed next to us', '10.0.0.1', '203.0.113.7, unknown'],
    ['a number out of range', '10.0.0.1', '203.0.113.999'],
    ['markup', '10.0.0.1', '<script>'],
    ['an open end', '10.0.0.1', '203.0.113.7,'],
  ])('%s: the peer itself', (_, peer, forwarded) => {
    expect(of(peer, forwarded)).toBe(`${peer}:4711`);
  });

  test('a header of thousands of hops costs as much as one of a few', () => {
    expect(of('10.0.0.1', `${'203.0.113.7,'.repeat(1_000)} 10.0.0.2`)).toBe('203.0.113.7:0');
    expect(of('10.0.0.1', Array(1_000).fill('10.0.0.2').join())).toBe('10.0.0.2:0');
  });
});
