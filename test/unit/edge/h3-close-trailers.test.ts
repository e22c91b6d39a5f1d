import { describe, expect, it } from '@jest/globals';
import { closeOfTrailers, closeTrailers } from '../../../src/edge/h3-close-trailers.js';

const back = (code: number, reason: string) =>
  closeOfTrailers(new Map(closeTrailers(code, reason)));

describe('the trailers that end a Link', () => {
  it('carry code and reason', () => {
    expect(closeTrailers(409, 'replaced, by 50%')).toEqual([
      ['gatesvr-code', '409'],
      ['gatesvr-reason', 'replaced%2C by 50%25'],
    ]);
    expect(back(409, 'replaced, by 50%')).toEqual({ code: 409, reason: 'replaced, by 50%' });
    expect(back(0, 'grüße\r\nx: y')).toEqual({ code: 0, reason: 'grüße\r\nx: y' });
  });

  it('cut long reasons', () => {
    expect(back(400, 'ü'.repeat(1_000)).reason).toBe('ü'.repeat(128));
    expect(back(400, `a${'ü'.repeat(1_000)}`).reason).toBe(`a${'ü'.repeat(127)}`);
  });

  it('may be absent or nonsense', () => {
    const plain = { code: 0, reason: 'peer finished' };
    expect(closeOfTrailers(null)).toEqual(plain);
    expect(closeOfTrailers(new Map([['gatesvr-code', '-1']]))).toEqual(plain);
    expect(closeOfTrailers(new Map([['gatesvr-code', '409']]))).toEqual({ code: 409, reason: '' });
    const broken = new Map([
      ['gatesvr-code', '409'],
      ['gatesvr-reason', '%zz'],
    ]);
    expect(closeOfTrailers(broken)).toEqual({ code: 409, reason: '%zz' });
  });
});
