import { describe, expect, test } from '@jest/globals';
import {
  checkRegistration,
  hostOfPeer,
  isUpstreamEntry,
  respelled,
} from '../../../src/routing/registration-check.js';

const check = (address: string, peer = '10.1.2.3:50000', zoneId = '001') =>
  checkRegistration({ address, zoneId, serviceName: 'service', capabilities: [], peer });

const addressOf = (address: string, peer?: string): string | null => {
  const checked = check(address, peer);
  return 'entry' in checked ? checked.entry.address : null;
};

const codeOf = (...args: Parameters<typeof check>): string => {
  const checked = check(...args);
  return 'refusal' in checked ? checked.refusal.errorCode : 'accepted';
};

describe('the address of a registration', () => {
  test.each([
    ['localhost:9001', 'localhost:9001'],
    ['Upstream-1.Example.COM:9001', 'upstream-1.example.com:9001'],
    ['10.0.0.1:1', '10.0.0.1:1'],
    ['[::1]:65535', '[::1]:65535'],
    ['my_service:80', 'my_service:80'],
    ['[fe80::1%eth0]:80', '[fe80::1%eth0]:80'],
  ])('%s is taken as it is', (text, address) => expect(addressOf(text)).toBe(address));

  test.each([
    ['[0:0::1]:9001', '[::1]:9001'],
    ['[2001:0DB8:0:0:0:0:0:5]:9001', '[2001:db8::5]:9001'],
    ['[::ffff:10.0.0.1]:9001', '10.0.0.1:9001'],
    ['[fe80:0::1%eth0]:80', '[fe80::1%eth0]:80'],
  ])('%s is another spelling of %s', (text, address) => expect(addressOf(text)).toBe(address));

  test.each([
    [':9001', '127.0.0.1:50000', '127.0.0.1:9001'],
    [':9001', '::ffff:192.168.0.7:50000', '192.168.0.7:9001'],
    [':9001', '::1:50000', '[::1]:9001'],
    [':9001', '2001:db8::5:50000', '[2001:db8::5]:9001'],
    ['0.0.0.0:9001', '10.1.2.3:50000', '10.1.2.3:9001'],
    ['[::]:9001', '10.1.2.3:50000', '10.1.2.3:9001'],
    ['[::0]:9001', '10.1.2.3:50000', '10.1.2.3:9001'],
    ['[0:0:0:0:0:0:0:0]:9001', '10.1.2.3:50000', '10.1.2.3:9001'],
    ['[::ffff:0.0.0.0]:9001', '10.1.2.3:50000', '10.1.2.3:9001'],
  ])('%s from %s means %s', (text, peer, address) => expect(addressOf(text, peer)).toBe(address));

  test('says whether the host is the caller’s', () => {
    expect(check(':9001')).toMatchObject({ entry: { hostFromCaller: true } });
    expect(check('a:9001')).toMatchObject({ entry: { hostFromCaller: false } });
  });

  test.each([
    [''],
    ['host'],
    [':'],
    [':0'],
    ['host:0'],
    ['host:65536'],
    ['host:-1'],
    ['host:90a'],
    ['::1:9001'],
    ['[::1:9001'],
    ['[gg::1]:9001'],
    ['999.0.0.1:9001'],
    ['1.2.3:9001'],
    ['http://host:9001'],
    ['host/path:9001'],
    ['a b:9001'],
    ['a..b:9001'],
    ['-a:9001'],
    ['unix:/tmp/socket:1'],
    [`${'a'.repeat(300)}:9001`],
  ])('%j is refused', (text) => expect(codeOf(text)).toBe('INVALID_ADDRESS'));

  test.each([['unknown'], [''], ['/tmp/socket:1']])('no host from the peer %j', (peer) =>
    expect(codeOf(':9001', peer)).toBe('INVALID_ADDRESS'),
  );
});

describe('the rest of a registration', () => {
  test.each([['000'], ['007'], ['1'], [''], ['001\n']])('zone %j is refused', (zone) =>
    expect(codeOf('a:1', 'x', zone)).toBe('INVALID_ZONE_ID'),
  );

  test('an over-long service name or too many capabilities are refused', () => {
    const base = { address: 'a:1', zoneId: '001', peer: '' };
    for (const rest of [
      { serviceName: 'x'.repeat(129), capabilities: [] },
      { serviceName: '', capabilities: new Array<string>(17).fill('x') },
      { serviceName: '', capabilities: ['x'.repeat(65)] },
    ]) {
      expect(checkRegistration({ ...base, ...rest })).toMatchObject({
        refusal: { success: false, errorCode: 'REGISTER_FAILED' },
      });
    }
  });
});

describe('peers', () => {
  test.each([
    ['127.0.0.1:80', '127.0.0.1'],
    ['::1:80', '::1'],
    ['[::1]:80', '::1'],
    ['::FFFF:1.2.3.4:80', '1.2.3.4'],
    ['fe80::1%eth0:80', 'fe80::1%eth0'],
    ['unknown', null],
    [':80', null],
    ['name:80', null],
  ])('%s', (peer, host) => expect(hostOfPeer(peer)).toBe(host));
});

describe('entries of a registry file', () => {
  const good = {
    address: 'a:1',
    zone: '001',
    serviceName: '',
    capabilities: ['dedupe'],
    hostFromCaller: false,
  };

  test('a good one', () => expect(isUpstreamEntry(good)).toBe(true));

  test.each([
    ['[0:0::1]:9001', '[::1]:9001'],
    ['[::ffff:10.0.0.1]:9001', '10.0.0.1:9001'],
    // Nobody knows any more whose host it was; dialled it is this machine.
    ['[::0]:9001', '[::0]:9001'],
  ])('one of an older version: %s', (address, now) => {
    const old = { ...good, address };
    expect([isUpstreamEntry(old), respelled(old)]).toEqual([true, { ...good, address: now }]);
  });

  test.each([
    [null],
    ['text'],
    [{ ...good, address: ':1' }],
    [{ ...good, address: 'A:1' }],
    [{ ...good, address: 7 }],
    [{ ...good, zone: '009' }],
    [{ ...good, serviceName: null }],
    [{ ...good, capabilities: [1] }],
    [{ ...good, capabilities: 'x' }],
    [{ ...good, hostFromCaller: 1 }],
  ])('a bad one: %j', (value) => expect(isUpstreamEntry(value)).toBe(false));
});
