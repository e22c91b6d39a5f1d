import { describe, expect, it } from '@jest/globals';
import { ErrorCode, describeError, errorName } from '../../../src/wire/error-catalogue.js';

const codes = Object.values(ErrorCode);

describe('the error catalogue', () => {
  it('has an entry for every code, each under its own snake-case name', () => {
    const names = codes.map(errorName);
    expect(new Set(names).size).toBe(codes.length);
    for (const name of names) expect(name).toMatch(/^[a-z]+(_[a-z]+)*$/);
    for (const code of codes) expect(describeError(code)?.message).not.toBe('');
  });

  it('uses the numbers of HTTP that DESIGN.md names', () => {
    const expected = [0, 400, 401, 403, 408, 409, 410, 413, 421, 429, 500, 502, 503, 504];
    expect([...codes].sort((a, b) => a - b)).toEqual(expected);
  });

  it('forbids reconnecting exactly where trying again cannot help', () => {
    const final = codes.filter((code) => describeError(code)?.mayReconnect === false);
    expect(final).toEqual([ErrorCode.Unauthenticated, ErrorCode.Forbidden, ErrorCode.Replaced]);
  });

  it.each([1, 404, -1, 1.5, NaN])('knows nothing of %d', (code) => {
    expect(describeError(code)).toBeUndefined();
    expect(errorName(code)).toBe('other');
  });
});
