import { describe, expect, it } from '@jest/globals';
import { Http3Code } from '../../../src/http3/http3-fault.js';
import type { Field } from '../../../src/http3/qpack-static-table.js';
import { requestHead, trailersOf } from '../../../src/http3/request-head.js';
import { GET, altered } from '../../support/http3-client.js';

describe('the head of a request', () => {
  it('is read', () => {
    const fields: Field[] = [...GET, ['cookie', 'a=1'], ['cookie', 'b=2'], ['x', '1'], ['x', '2']];
    const head = requestHead([...fields, ['te', 'trailers'], ['content-length', '12']], false);
    expect(head).toMatchObject({
      method: 'GET',
      path: '/health',
      authority: 'localhost',
      protocol: '',
      contentLength: 12,
    });
    expect(Object.fromEntries(head.headers)).toMatchObject({ cookie: 'a=1; b=2', x: '1, 2' });
  });

  it('may name its host instead of an authority', () => {
    const fields = altered(GET, { ':authority': null, host: 'example.com' });
    expect(requestHead(fields, false).authority).toBe('example.com');
  });

  it('of an extended CONNECT needs the setting', () => {
    const fields = altered(GET, { ':method': 'CONNECT', ':protocol': 'webtransport' });
    expect(requestHead(fields, true).protocol).toBe('webtransport');
    expect(() => requestHead(fields, false)).toThrow(':protocol');
  });

  it.each<[string, Field[]]>([
    ['no :method', altered(GET, { ':method': null })],
    ['an empty :method', altered(GET, { ':method': '' })],
    ['no :scheme', altered(GET, { ':scheme': null })],
    ['no :path', altered(GET, { ':path': null })],
    ['an empty :path', altered(GET, { ':path': '' })],
    ['a :path without slash', altered(GET, { ':path': 'health' })],
    ['no :authority', altered(GET, { ':authority': null })],
    ['a host of another name', altered(GET, { host: 'elsewhere' })],
    ['a pseudo-header twice', [[':method', 'GET'], ...GET]],
    ['a pseudo-header of answers', altered(GET, { ':status': '200' })],
    ['an upper-case pseudo-header', altered(GET, { ':Method': 'GET' })],
    ['a pseudo-header behind a header', [['x', 'y'], ...GET]],
    ['an upper-case name', altered(GET, { Accept: '*/*' })],
    ['an empty name', altered(GET, { '': 'x' })],
    ['a name with a blank', altered(GET, { 'a b': 'x' })],
    ['a value with a line break', altered(GET, { x: 'a\r\nb: c' })],
    ['a value with NUL', altered(GET, { x: 'a\u0000' })],
    ['a value that ends in a blank', altered(GET, { x: 'a ' })],
    ['a path with a line break', altered(GET, { ':path': '/a\nb' })],
    ['connection', altered(GET, { connection: 'close' })],
    ['transfer-encoding', altered(GET, { 'transfer-encoding': 'chunked' })],
    ['te: gzip', altered(GET, { te: 'gzip' })],
    ['a content-length that is none', altered(GET, { 'content-length': '-1' })],
    ['a content-length above 2^53', altered(GET, { 'content-length': '9'.repeat(20) })],
    [
      'two content-lengths',
      [...GET, ['content-length', '1'], ['content-length', '2']] satisfies Field[],
    ],
    ['CONNECT with a path', altered(GET, { ':method': 'CONNECT' })],
  ])('is malformed with %s', (_, fields) => {
    expect(() => requestHead(fields, false)).toThrow(
      expect.objectContaining({ scope: 'stream', code: Http3Code.MESSAGE_ERROR }),
    );
  });

  it('is no trailer', () => {
    expect(trailersOf([['a', 'b']]).get('a')).toBe('b');
    expect(() => trailersOf([[':status', '200']])).toThrow('malformed');
  });
});
