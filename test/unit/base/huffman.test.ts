import { describe, expect, it } from '@jest/globals';
import { HUFFMAN_LENGTHS, decodeHuffman } from '../../../src/base/huffman.js';

const decode = (hex: string) => {
  const bytes = Buffer.from(`aa${hex}`, 'hex');
  return decodeHuffman(bytes, 1, bytes.length);
};

describe('the Huffman code of HPACK and QPACK', () => {
  it.each([
    ['f1e3c2e5f23a6ba0ab90f4ff', 'www.example.com'],
    ['a8eb10649cbf', 'no-cache'],
    ['', ''],
  ])('reads %s', (hex, text) => {
    expect(decode(hex)).toBe(text);
  });

  it.each(['ffffffff', '00', '1fff', 'fffffffffffffffc'])('refuses %s', (hex) => {
    expect(decode(hex)).toBeNull();
  });

  it('has a code for each byte', () => {
    expect(HUFFMAN_LENGTHS).toHaveLength(256);
  });
});
