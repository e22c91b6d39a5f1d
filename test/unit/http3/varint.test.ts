import { describe, expect, it } from '@jest/globals';
import {
  encodeVarints,
  readVarint,
  varintLength,
  varintSize,
  writeVarint,
} from '../../../src/http3/varint.js';

describe('variable-length integers', () => {
  // RFC 9000 appendix A.1; the first is above 2^53, where numbers are rounded.
  it.each([
    ['c2197c5eff14e88c', Number(151_288_809_941_952_652n)],
    ['9d7f3e7d', 494_878_333],
    ['7bbd', 15_293],
    ['25', 37],
    ['4025', 37],
    ['ffffffffffffffff', 2 ** 62],
  ])('reads %s as the RFC says', (hex, value) => {
    const bytes = Buffer.from(`00${hex}`, 'hex');
    expect(readVarint(bytes, 1)).toBe(value);
    expect(varintLength(bytes[1] as number)).toBe(bytes.length - 1);
  });

  it.each([
    [0, '00'],
    [63, '3f'],
    [64, '4040'],
    [15_293, '7bbd'],
    [16_383, '7fff'],
    [16_384, '80004000'],
    [494_878_333, '9d7f3e7d'],
    [2 ** 30 - 1, 'bfffffff'],
    [2 ** 30, 'c000000040000000'],
    [Number.MAX_SAFE_INTEGER, 'c01fffffffffffff'],
  ])('writes %d in its shortest form', (value, hex) => {
    const bytes = Buffer.alloc(8);
    const end = writeVarint(bytes, 0, value);
    expect(bytes.toString('hex', 0, end)).toBe(hex);
    expect(varintSize(value)).toBe(end);
  });

  it('writes several one after another', () => {
    expect(encodeVarints(1, 64, 0).toString('hex')).toBe('01404000');
    expect(encodeVarints()).toHaveLength(0);
  });
});
