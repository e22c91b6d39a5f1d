import { describe, expect, it } from '@jest/globals';
import { bytes, cores, count, millis, percent, rate, span } from '../../../src/console/format.js';

describe('figures of the console', () => {
  it.each([
    [count(0), '0'],
    [count(1234567), '1,234,567'],
    [count(12.6), '13'],
    [rate(null), '–'],
    [rate(undefined), '–'],
    [rate(0), '0'],
    [rate(0.25), '0.3'],
    [rate(9.94), '9.9'],
    [rate(9.96), '10'],
    [rate(12_345.6), '12,346'],
    [millis(null), '–'],
    [millis(0), '0'],
    [millis(0.0841), '0.084'],
    [millis(0.9996), '1.00'],
    [millis(1.239), '1.24'],
    [millis(9.996), '10.0'],
    [millis(99.94), '99.9'],
    [millis(99.96), '100'],
    [millis(12_345), '12,345'],
    [bytes(null), '–'],
    [bytes(0), '0 B'],
    [bytes(1023), '1,023 B'],
    [bytes(1024), '1.0 KiB'],
    [bytes(10 * 1024), '10 KiB'],
    [bytes(1024 * 1024 - 1), '1.0 MiB'],
    [bytes(5.25 * 2 ** 30), '5.3 GiB'],
    [span(-3), '0 s'],
    [span(59.4), '59 s'],
    [span(60), '1 min'],
    [span(185), '3 min 5 s'],
    [span(7_200), '2 h'],
    [span(7_320), '2 h 2 min'],
    [span(90_000), '1 d 1 h'],
    [percent(0.345), '35 %'],
    [cores(null), '–'],
    [cores(0.344), '0.34'],
  ])('%s', (got, wanted) => {
    expect(got).toBe(wanted);
  });
});
