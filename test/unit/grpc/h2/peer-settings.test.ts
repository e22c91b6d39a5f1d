import { describe, expect, test } from '@jest/globals';
import { FIRST_WINDOW, FRAME_PAYLOAD, Setting } from '../../../../src/grpc/h2/frames.js';
import { PeerSettings } from '../../../../src/grpc/h2/peer-settings.js';
import { Http2Code } from '../../../../src/grpc/status-mapping.js';

const applied = (setting: number, value: number): PeerSettings => {
  const peer = new PeerSettings();
  peer.apply(setting, value);
  return peer;
};

describe('what the peer’s SETTINGS allow (RFC 9113 section 6.5.2)', () => {
  test('before they come: any number of streams, the first window, the smallest frames', () => {
    const { maxStreams, initialWindow, maxFrame } = new PeerSettings();
    expect([maxStreams, initialWindow, maxFrame]).toEqual([Infinity, FIRST_WINDOW, FRAME_PAYLOAD]);
  });

  test.each([
    ['maxStreams', Setting.MAX_CONCURRENT_STREAMS, [0, 1, 2 ** 32 - 1]],
    ['maxFrame', Setting.MAX_FRAME_SIZE, [16_384, 2 ** 24 - 1]],
    ['initialWindow', Setting.INITIAL_WINDOW_SIZE, [0, 2 ** 31 - 1]],
  ] as const)('%s is what they say, and nothing else changes', (name, setting, values) => {
    for (const value of values) {
      expect(applied(setting, value)).toEqual({ ...new PeerSettings(), [name]: value });
    }
  });

  test.each([
    [Setting.MAX_FRAME_SIZE, 16_383, Http2Code.PROTOCOL_ERROR],
    [Setting.MAX_FRAME_SIZE, 2 ** 24, Http2Code.PROTOCOL_ERROR],
    [Setting.INITIAL_WINDOW_SIZE, 2 ** 31, Http2Code.FLOW_CONTROL_ERROR],
  ])('setting %d of %d ends the connection with code %d', (setting, value, code) => {
    expect(() => applied(setting, value)).toThrow(expect.objectContaining({ code }));
  });

  test('a setting that is not known means nothing', () => {
    expect(applied(0xabcd, 7)).toEqual(new PeerSettings());
  });
});
