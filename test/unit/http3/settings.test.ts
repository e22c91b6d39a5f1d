import { describe, expect, it } from '@jest/globals';
import { Http3Code } from '../../../src/http3/http3-fault.js';
import { decodeSettings, encodeSettings } from '../../../src/http3/settings.js';
import { encodeVarints } from '../../../src/http3/varint.js';

describe('SETTINGS', () => {
  it('are pairs of integers', () => {
    const settings = new Map([
      [0x01, 0],
      [0x06, 16_384],
      [0x2b60_3742, 1],
    ]);
    expect(encodeSettings(settings).toString('hex')).toBe('040c01000680004000ab60374201');
    expect(decodeSettings(encodeSettings(settings).subarray(2))).toEqual(settings);
    expect(decodeSettings(Buffer.alloc(0)).size).toBe(0);
  });

  it('of ids that nobody knows mean nothing', () => {
    const grease = Buffer.from('ffdeadbeefcafe0001', 'hex');
    expect(decodeSettings(grease).size).toBe(1);
  });

  it.each([
    ['twice the same', encodeVarints(6, 1, 6, 1), Http3Code.SETTINGS_ERROR],
    ['0x0 of HTTP/2', encodeVarints(0, 1), Http3Code.SETTINGS_ERROR],
    ['0x2 of HTTP/2', encodeVarints(2, 1), Http3Code.SETTINGS_ERROR],
    ['0x5 of HTTP/2', encodeVarints(5, 1), Http3Code.SETTINGS_ERROR],
    ['ENABLE_CONNECT_PROTOCOL 2', encodeVarints(8, 2), Http3Code.SETTINGS_ERROR],
    ['H3_DATAGRAM 2', encodeVarints(0x33, 2), Http3Code.SETTINGS_ERROR],
    ['an id without a value', encodeVarints(6), Http3Code.FRAME_ERROR],
    ['a value cut short', Buffer.of(6, 0x40), Http3Code.FRAME_ERROR],
  ])('are refused: %s', (_, payload, code) => {
    expect(() => decodeSettings(payload)).toThrow(
      expect.objectContaining({ scope: 'connection', code }),
    );
  });
});
