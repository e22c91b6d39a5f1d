import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { calculate } from '../../../src/cli/arithmetic.js';

describe('calculate', () => {
  test.each([
    ['1+2*3', 7],
    ['(1+2)*3', 9],
    ['2^3^2', 512],
    ['-2^2', -4],
    ['2*-3', -6],
    ['10 / 4 - 1', 1.5],
    ['7 % 4', 3],
    ['.5 + 1e3', 1000.5],
    ['--1', 1],
    ['8-3-2', 3],
  ])('%s is %d', (expression, result) => {
    expect(calculate(expression)).toBe(result);
  });

  test.each(['', '1+', '(1', '1)', 'a', '1 2', '2**3', '()', '1..2'])(
    '%j cannot be read',
    (bad) => {
      expect(() => calculate(bad)).toThrow(SyntaxError);
    },
  );

  test('no text makes it do anything but calculate or complain', () => {
    const symbols = fc.constantFrom(...'0123456789.+-*/%^() e');
    const text = fc.oneof(
      fc.string(),
      fc.array(symbols).map((all) => all.join('')),
    );
    fc.assert(
      fc.property(text, (expression) => {
        try {
          expect(typeof calculate(expression)).toBe('number');
        } catch (error) {
          expect(error).toBeInstanceOf(SyntaxError);
        }
      }),
      { numRuns: 2_000 },
    );
    expect(() => calculate('('.repeat(100_000))).toThrow(/nested deeper than 100/);
    expect(() => calculate('1^'.repeat(100_000) + '1')).toThrow(/nested deeper than 100/);
  });
});
