import { expect, it } from '@jest/globals';
import { decodeSettings, encodeSettings } from '../../../src/http3/settings.js';
import {
  WEBTRANSPORT_SETTINGS,
  announcesWebTransport,
  bidiHeader,
  streamErrorCode,
} from '../../../src/http3/webtransport.js';

it('maps application codes past those that are kept for grease', () => {
  // The ends of the range that the draft names.
  expect(streamErrorCode(0)).toBe(0x52e4a40fa8db);
  expect(streamErrorCode(0xffffffff)).toBe(0x52e5ac983162);
  const codes = Array.from({ length: 200 }, (_, code) => streamErrorCode(code));
  expect(codes.some((code) => (code - 0x21) % 0x1f === 0)).toBe(false);
  expect(new Set(codes).size).toBe(200);
});

it('begins a stream with signal and session', () => {
  expect(bidiHeader(0).toString('hex')).toBe('404100');
  expect(bidiHeader(256).toString('hex')).toBe('40414100');
});

it.each<[string, number, number, boolean]>([
  ['draft 02', 0x2b603742, 1, true],
  ['drafts 07 to 12', 0xc671706a, 16, true],
  ['drafts 13 and 14', 0x14e9cd29, 1, true],
  ['drafts 09 to 12, by datagrams alone', 0x33, 1, true],
  ['draft 02, switched off', 0x2b603742, 0, false],
  ['extended CONNECT alone', 0x08, 1, false],
])('knows a client of %s', (_, id, value, known) => {
  expect(announcesWebTransport(new Map([[id, value]]))).toBe(known);
});

it('announces one session', () => {
  // SETTINGS of QUIC-NOTES.md, which Chromium wants before it sends CONNECT.
  const frame = encodeSettings(WEBTRANSPORT_SETTINGS);
  expect(frame.toString('hex')).toBe(
    '0412' + '0801' + '3301' + 'ab60374201' + 'c0000000c671706a01',
  );
  expect(decodeSettings(frame.subarray(2))).toEqual(WEBTRANSPORT_SETTINGS);
});
