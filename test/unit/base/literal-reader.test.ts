import { describe, expect, test } from '@jest/globals';
import { LiteralReader } from '../../../src/base/literal-reader.js';

function reading(hex: string): LiteralReader {
  const reader = new LiteralReader((message) => new RangeError(message));
  reader.begin(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
  return reader;
}

describe('integers (RFC 7541 appendix C.1)', () => {
  test.each([
    ['0a', 5, 10],
    ['ea', 5, 10],
    ['1f 9a 0a', 5, 1337],
    ['2a', 8, 42],
    ['ff 00', 8, 255],
  ])('%s with a prefix of %i bits is %i', (hex, prefixBits, value) => {
    const reader = reading(hex);
    expect(reader.integer(prefixBits)).toBe(value);
    expect(reader.ended).toBe(true);
  });

  test.each([
    ['', /cut short/],
    ['1f', /cut short/],
    ['1f 80', /cut short/],
    ['1f ff ff ff ff ff 01', /too large/],
  ])('%s is none', (hex, reason) => {
    expect(() => reading(hex).integer(5)).toThrow(reason);
  });
});

describe('strings (RFC 7541 appendix C.2 and C.4, RFC 9204 section 4.1.2)', () => {
  test.each([
    ['0a 63 75 73 74 6f 6d 2d 6b 65 79', 7, 'custom-key'],
    ['8c f1 e3 c2 e5 f2 3a 6b a0 ab 90 f4 ff', 7, 'www.example.com'],
    ['23 61 62 63', 3, 'abc'],
    ['2e f1 e3 c2 e5 f2 3a 6b a0 ab 90 f4 ff', 3, null],
  ])('%s with a prefix of %i bits', (hex, prefixBits, text) => {
    if (text === null) expect(() => reading(hex).string(prefixBits)).toThrow(RangeError);
    else expect(reading(hex).string(prefixBits)).toBe(text);
  });

  test('one after the other; what comes next is looked at without being taken', () => {
    const reader = reading('01 61 02 62 63');
    expect([reader.next, reader.string(7), reader.next]).toEqual([1, 'a', 2]);
    expect([reader.ended, reader.string(7), reader.ended]).toEqual([false, 'bc', true]);
    reader.begin(Buffer.of(1, 0x64));
    expect(reader.string(7)).toBe('d');
  });

  test.each([
    ['', /cut short/],
    ['02 61', /cut short/],
    ['81 00', /Huffman/],
  ])('%s is none', (hex, reason) => {
    expect(() => reading(hex).string(7)).toThrow(reason);
  });
});
