import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { formatDuration, parseDuration } from '../../../src/config/duration.js';
import { editDistance, nearest } from '../../../src/config/nearest.js';
import { formatSize, parseSize } from '../../../src/config/size.js';

describe('durations', () => {
  it.each([
    ['0', 0],
    ['0s', 0],
    ['5m', 300_000],
    ['200ms', 200],
    ['1h30m', 5_400_000],
    ['1.5s', 1_500],
    ['1500us', 2],
    ['2µs', 0],
    ['24h', 86_400_000],
    ['.5s', 500],
    ['+5s', 5_000],
    ['+0', 0],
    ['5000\u00b5s', 5],
    ['5000\u03bcs', 5],
  ])('%s is %i ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each([
    '',
    '5',
    '-1s',
    '5 m',
    's',
    '1d',
    '1m30',
    '5M',
    '.s',
    '+',
    '++5s',
    '1s+1s',
    '1e3s',
    '9'.repeat(30) + 'h',
  ])('%p is none', (text) => {
    expect(parseDuration(text)).toBeNull();
  });

  it('read back as they were written', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 31), (ms) => {
        expect(parseDuration(formatDuration(ms))).toBe(ms);
      }),
    );
    expect(formatDuration(90_000)).toBe('1m30s');
  });
});

describe('sizes', () => {
  it.each([
    ['0', 0],
    ['65536', 65_536],
    ['64KiB', 65_536],
    ['4 MiB', 4_194_304],
    ['1GB', 1_000_000_000],
    ['1.5KiB', 1_536],
    ['16B', 16],
  ])('%s is %i bytes', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  it.each(['', '-1', 'KiB', '4M', '1e3', '4  MiB', '9'.repeat(20)])('%p is none', (text) => {
    expect(parseSize(text)).toBeNull();
  });

  it('read back as they were written', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 31), (bytes) => {
        expect(parseSize(formatSize(bytes))).toBe(bytes);
      }),
    );
    expect(formatSize(4_194_304)).toBe('4MiB');
  });
});

describe('nearest', () => {
  it('counts changes of one letter', () => {
    expect(editDistance('kitten', 'sitting')).toBe(3);
    expect(editDistance('', 'abc')).toBe(3);
  });

  it('names what was probably meant, or nothing', () => {
    expect(nearest('quic_adr', ['http_addr', 'quic_addr'])).toBe('quic_addr');
    expect(nearest('Quic_Addr', ['quic_addr'])).toBe('quic_addr');
    expect(nearest('banana', ['quic_addr', 'http_addr'])).toBeNull();
    expect(nearest('x'.repeat(100_000), ['quic_addr'])).toBeNull();
  });
});
