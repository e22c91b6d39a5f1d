import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { HUFFMAN_LENGTHS } from '../../../../src/base/huffman.js';
import { ConnectionError } from '../../../../src/grpc/h2/connection-error.js';
import { HpackDecoder } from '../../../../src/grpc/h2/hpack-decoder.js';
import { STATIC_TABLE } from '../../../../src/grpc/h2/hpack-tables.js';
import { RequestHeaders } from '../../../../src/grpc/h2/request-headers.js';

function decode(decoder: HpackDecoder, block: Buffer | string): string[] {
  const fields: string[] = [];
  const bytes = typeof block === 'string' ? Buffer.from(block.replaceAll(' ', ''), 'hex') : block;
  decoder.decode(bytes, (name, value) => fields.push(`${name}: ${value}`));
  return fields;
}

describe('the decoder, by the examples of RFC 7541', () => {
  const requests = [
    [':method: GET', ':scheme: http', ':path: /', ':authority: www.example.com'],
    [
      ':method: GET',
      ':scheme: http',
      ':path: /',
      ':authority: www.example.com',
      'cache-control: no-cache',
    ],
    [
      ':method: GET',
      ':scheme: https',
      ':path: /index.html',
      ':authority: www.example.com',
      'custom-key: custom-value',
    ],
  ];

  test('C.3: requests without Huffman coding', () => {
    const decoder = new HpackDecoder();
    const blocks = [
      '828684410f7777772e6578616d706c652e636f6d',
      '828684be58086e6f2d6361636865',
      '828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565',
    ];
    expect(blocks.map((block) => decode(decoder, block))).toEqual(requests);
  });

  test('C.4: requests with Huffman coding', () => {
    const decoder = new HpackDecoder();
    const blocks = [
      '828684418cf1e3c2e5f23a6ba0ab90f4ff',
      '828684be5886a8eb10649cbf',
      '828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf',
    ];
    expect(blocks.map((block) => decode(decoder, block))).toEqual(requests);
  });

  test('C.6.1: a response with Huffman coding, in a table of 256 bytes', () => {
    const decoder = new HpackDecoder();
    const block =
      '3fe101 488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3';
    expect(decode(decoder, block)).toEqual([
      ':status: 302',
      'cache-control: private',
      'date: Mon, 21 Oct 2013 20:13:21 GMT',
      'location: https://www.example.com',
    ]);
    // The next response evicts the first entry (C.6.2).
    expect(decode(decoder, '4883640effc1c0bf')).toEqual([
      ':status: 307',
      'cache-control: private',
      'date: Mon, 21 Oct 2013 20:13:21 GMT',
      'location: https://www.example.com',
    ]);
  });
});

describe('the tables', () => {
  test('have the size and the ends that the RFC gives them', () => {
    expect(STATIC_TABLE).toHaveLength(61);
    expect([STATIC_TABLE[0], STATIC_TABLE[60]]).toEqual([
      [':authority', ''],
      ['www-authenticate', ''],
    ]);
    expect(HUFFMAN_LENGTHS).toHaveLength(256);
    // A complete code, with EOS of 30 bits (Kraft's equality).
    const sum = HUFFMAN_LENGTHS.reduce((total, length) => total + 2 ** -length, 2 ** -30);
    expect(sum).toBe(1);
  });
});

describe('the dynamic table (RFC 7541 section 4)', () => {
  /** Inserts `a: b`, which counts 34 bytes. */
  const insertion = '40 01 61 01 62';

  test('forgets its oldest entries, which can be named no more', () => {
    const decoder = new HpackDecoder();
    const field = `40 01 61 7f b104 ${'62'.repeat(688)}`;
    // Each counts 721 bytes, so that five of them are kept.
    for (let times = 0; times < 6; times++) decode(decoder, field);
    expect(decode(decoder, 'c2')).toEqual([`a: ${'b'.repeat(688)}`]);
    expect(() => decode(decoder, 'c3')).toThrow(ConnectionError);
  });

  test('keeps an entry that just fits, and none that does not', () => {
    const decoder = new HpackDecoder();
    expect(decode(decoder, `3f03 ${insertion} be`)).toEqual(['a: b', 'a: b']);
    expect(decode(decoder, `3f02 ${insertion}`)).toEqual(['a: b']);
    expect(() => decode(decoder, 'be')).toThrow(ConnectionError);
  });

  test('loses what does not fit any more when it shrinks', () => {
    const decoder = new HpackDecoder();
    expect(decode(decoder, insertion)).toEqual(['a: b']);
    expect(decode(decoder, '3f03 be')).toEqual(['a: b']);
    expect(decode(decoder, '3f02 3fe11f')).toEqual([]);
    expect(() => decode(decoder, 'be')).toThrow(ConnectionError);
  });

  test('a literal that is not to be kept is not in it', () => {
    const decoder = new HpackDecoder();
    for (const kind of ['00', '10']) {
      expect(decode(decoder, `${kind} 01 61 01 62`)).toEqual(['a: b']);
      expect(() => decode(decoder, 'be')).toThrow(ConnectionError);
    }
  });
});

describe('bad blocks end the connection', () => {
  test.each([
    ['index 0', '80'],
    ['an index beyond the tables', 'be'],
    ['an endless integer', 'ffffffffffffffffff'],
    ['an integer cut short', 'ff'],
    ['a string cut short', '40 0a 61'],
    ['a value missing', '40 01 61'],
    ['a table larger than we allow', '3fe2ff03'],
    ['a size update behind a field', '82 20'],
    ['EOS in a Huffman string', '40 01 61 84 ffffffff'],
    ['a Huffman string padded with zeros', '40 01 61 81 00'],
    ['a Huffman string padded by a byte', '40 01 61 82 1fff'],
  ])('%s', (_, block) => {
    expect(() => decode(new HpackDecoder(), block)).toThrow(ConnectionError);
  });

  test('noise is fields or an error of the connection, and nothing else', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 5 }), (blocks) => {
        const decoder = new HpackDecoder();
        try {
          for (const block of blocks) decode(decoder, Buffer.from(block));
        } catch (error) {
          expect(error).toBeInstanceOf(ConnectionError);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('request headers', () => {
  const common = [
    [':authority', 'host:1'],
    ['te', 'trailers'],
  ] as const;
  const wanted = (method: string, timeout: string): string[] => [
    ':method: POST',
    ':scheme: http',
    `:path: ${method}`,
    ':authority: host:1',
    'te: trailers',
    `grpc-timeout: ${timeout}`,
  ];
  const send = (headers: RequestHeaders, method: string, timeout: string): Buffer =>
    Buffer.concat([headers.block(method), headers.timeout(timeout)]);

  test('are understood by a decoder, whatever the order of methods, timeouts and limits', () => {
    const step = fc.record({
      method: fc.constantFrom(
        '/a.B/C',
        '/a.B/D',
        '/x',
        `/${'long'.repeat(300)}`,
        `/${'m'.repeat(2_000)}`,
      ),
      timeout: fc.constantFrom('30000m', '29999m', '1m', '99999999m'),
      limit: fc.option(fc.constantFrom(4_096, 65_536, 0, 100), { freq: 10 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const headers = new RequestHeaders(false, common);
        const decoder = new HpackDecoder();
        for (const { method, timeout, limit } of steps) {
          if (limit !== null) headers.limitTable(limit);
          expect(decode(decoder, send(headers, method, timeout))).toEqual(wanted(method, timeout));
        }
      }),
      { numRuns: 300 },
    );
  });

  test('of a usual call take a handful of bytes', () => {
    const headers = new RequestHeaders(true, common);
    send(headers, '/a.B/C', '30000m');
    send(headers, '/a.B/C', '30000m');
    expect(send(headers, '/a.B/C', '30000m').length).toBeLessThanOrEqual(6);
  });

  test('a peer without a table gets literals, and hears so once', () => {
    const headers = new RequestHeaders(false, common);
    send(headers, '/a.B/C', '1m');
    headers.limitTable(0);
    expect(send(headers, '/a.B/C', '1m')[0]).toBe(0x20);
    const [second, third] = [send(headers, '/a.B/C', '1m'), send(headers, '/a.B/C', '1m')];
    expect(second[0]).not.toBe(0x20);
    expect(second).toEqual(third);
    expect(decode(new HpackDecoder(), second)).toEqual(wanted('/a.B/C', '1m'));
  });
});
