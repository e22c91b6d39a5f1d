import { describe, expect, it } from '@jest/globals';
import { Http3Code } from '../../../src/http3/http3-fault.js';
import { decodeFieldSection } from '../../../src/http3/qpack-decoder.js';
import { encodeFieldSection } from '../../../src/http3/qpack-encoder.js';
import { STATIC_TABLE } from '../../../src/http3/qpack-static-table.js';
import type { Field } from '../../../src/http3/qpack-static-table.js';
import { DecoderStreamReader, readEncoderStream } from '../../../src/http3/qpack-streams.js';

const bytes = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const decode = (hex: string, limit = 10_000) => decodeFieldSection(bytes(hex), limit);

describe('the static table', () => {
  it('has the entries of RFC 9204 appendix A at their places', () => {
    expect(STATIC_TABLE).toHaveLength(99);
    const some = [0, 1, 17, 25, 46, 63, 71, 84, 95, 98].map((index) => STATIC_TABLE[index]);
    expect(some).toEqual([
      [':authority', ''],
      [':path', '/'],
      [':method', 'GET'],
      [':status', '200'],
      ['content-type', 'application/json'],
      [':status', '100'],
      [':status', '500'],
      ['authorization', ''],
      ['user-agent', ''],
      ['x-frame-options', 'sameorigin'],
    ]);
  });
});

describe('the decoder', () => {
  it.each<[string, string, Field[]]>([
    [
      'RFC 9204 B.1: a name of the static table',
      '0000 510b 2f69 6e64 6578 2e68 746d 6c',
      [[':path', '/index.html']],
    ],
    ['whole fields of the static table', '0000 d1 d7 c1', entries(17, 23, 1)],
    ['an index behind the prefix', '0000 ff23', entries(98)],
    ['a literal name', '0000 23 616263 03 646566', [['abc', 'def']]],
    [
      'Huffman: RFC 7541 C.4.1',
      '0000 508c f1e3 c2e5 f23a 6ba0 ab90 f4ff',
      [[':authority', 'www.example.com']],
    ],
    ['Huffman in a literal name', '0000 2f 01 25a849e95ba97d7f 00', [['custom-key', '']]],
    ['the never-index bit', '0000 71 01 61', [[':path', 'a']]],
  ])('reads %s', (_, hex, fields) => {
    expect(decode(hex)).toEqual(fields);
  });

  it.each([
    ['nothing', ''],
    ['half a prefix', '00'],
    ['a required insert count', '0100 d1'],
    ['a base below 0', '0080 d1'],
    ['a field of the dynamic table', '0000 80'],
    ['a name of the dynamic table', '0000 40 00'],
    ['a field behind the base', '0000 10'],
    ['a name behind the base', '0000 00 00'],
    ['index 99 of the static table', '0000 ff24'],
    ['an index without end', '0000 ff ffffffffffffffff'],
    ['a string that is cut short', '0000 51 05 61'],
    ['a string of 2^34 bytes', '0000 51 7f 80808080 40'],
    ['Huffman with EOS', '0000 51 84 ffffffff'],
    ['Huffman padded with zeros', '0000 51 81 00'],
  ])('refuses %s', (_, hex) => {
    expect(() => decode(hex)).toThrow(
      expect.objectContaining({
        scope: 'connection',
        code: Http3Code.QPACK_DECOMPRESSION_FAILED,
      }),
    );
  });

  it('says null where the section is above the limit, as RFC 9114 counts it', () => {
    // :method GET is 7 + 3 + 32.
    expect(decode('0000 d1 d1', 84)).toHaveLength(2);
    expect(decode('0000 d1 d1', 83)).toBeNull();
  });
});

describe('the encoder', () => {
  it('uses the static table where it can', () => {
    expect(encodeFieldSection([[':status', '200']]).toString('hex')).toBe('0000d9');
    expect(encodeFieldSection([[':status', '431']]).toString('hex')).toBe('00005f0903343331');
    expect(encodeFieldSection([['x', 'y']]).toString('hex')).toBe('000021780179');
  });

  it('writes what the decoder reads', () => {
    const fields: Field[] = [
      [':status', '200'],
      ['content-type', 'application/x-gatesvr'],
      ['gatesvr-reason', 'x'.repeat(300)],
      [`a${'b'.repeat(200)}`, ''],
      ['latin', '\u00e9'],
      ['x-frame-options', 'sameorigin'],
    ];
    expect(decodeFieldSection(encodeFieldSection(fields), 10_000)).toEqual(fields);
  });
});

describe('the streams of QPACK', () => {
  it('allow a table of no bytes, and cancellations, however they are cut', () => {
    readEncoderStream(bytes('20 20'));
    const reader = new DecoderStreamReader();
    for (const byte of bytes('44 7f 80 01 7f 00 40')) reader.read(Buffer.of(byte));
  });

  it.each(['3fe11f', '21', 'c1 03616263', '43616263 00', '00'])(
    'refuse %s on the encoder stream',
    (hex) => {
      expect(() => readEncoderStream(bytes(hex))).toThrow(
        expect.objectContaining({ code: Http3Code.QPACK_ENCODER_STREAM_ERROR }),
      );
    },
  );

  it.each(['84', '01', '00', '7f ffffffffffffffffffffffff'])(
    'refuse %s on the decoder stream',
    (hex) => {
      expect(() => new DecoderStreamReader().read(bytes(hex))).toThrow(
        expect.objectContaining({ code: Http3Code.QPACK_DECODER_STREAM_ERROR }),
      );
    },
  );
});

function entries(...indices: number[]): Field[] {
  return indices.map((index) => STATIC_TABLE[index] as Field);
}
