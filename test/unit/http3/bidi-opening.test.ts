import { describe, expect, it } from '@jest/globals';
import { openingOf } from '../../support/bidi-opening.js';

const hex = (text: string) => [Buffer.from(text, 'hex')];

describe('the first bytes of a stream', () => {
  it.each([
    ['HEADERS', '0102aabb', 'request', '0102aabb'],
    ['grease of eight bytes', 'c0000000000000ff00', 'request', 'c0000000000000ff00'],
    ['a frame type of two bytes', '404000', 'request', '404000'],
    ['the signal with session 0', '40410001', 'session 0', '01'],
    ['the signal in four bytes', '8000004100', 'session 0', ''],
    ['a session of eight bytes', '4041c00000000000000401', 'session 4', '01'],
    ['half of the signal', '40', 'unclear', ''],
    ['no session yet', '404180', 'unclear', ''],
  ])('%s', (_, bytes, kind, rest) => {
    expect(openingOf(hex(bytes))).toEqual({ kind, rest });
  });

  it('of a stream that ends too early are nothing', () => {
    expect(openingOf(hex('40'), true).kind).toBe('nothing');
    expect(openingOf([], true).kind).toBe('unclear');
  });
});
