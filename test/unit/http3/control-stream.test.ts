import { describe, expect, it } from '@jest/globals';
import { ControlStreamReader } from '../../../src/http3/control-stream.js';
import { FrameType, encodeFrame } from '../../../src/http3/frames.js';
import { Http3Code } from '../../../src/http3/http3-fault.js';
import type { Settings } from '../../../src/http3/settings.js';
import { encodeSettings } from '../../../src/http3/settings.js';
import { encodeVarints } from '../../../src/http3/varint.js';

const settings = encodeSettings(new Map([[6, 1]]));
const frame = (type: number, ...ids: number[]) => encodeFrame(type, encodeVarints(...ids));

describe('the control stream of a client', () => {
  it('brings SETTINGS, and frames that mean nothing here', () => {
    const seen: Settings[] = [];
    const reader = new ControlStreamReader((announced) => seen.push(announced));
    const bytes = Buffer.concat([
      settings,
      encodeFrame(FrameType.PRIORITY_UPDATE_REQUEST, Buffer.from('\x00u=1')),
      encodeFrame(0x1f * 9 + 0x21, Buffer.alloc(5_000)),
      frame(FrameType.MAX_PUSH_ID, 3),
      frame(FrameType.MAX_PUSH_ID, 3),
      frame(FrameType.GOAWAY, 8),
      frame(FrameType.GOAWAY, 0),
    ]);
    for (const byte of bytes) reader.read(Buffer.of(byte));
    expect(seen).toEqual([new Map([[6, 1]])]);
    expect(reader.settings?.get(6)).toBe(1);
  });

  it.each([
    ['GOAWAY first', frame(FrameType.GOAWAY, 0), Http3Code.MISSING_SETTINGS],
    ['grease first', encodeFrame(0x21, Buffer.alloc(0)), Http3Code.MISSING_SETTINGS],
    ['SETTINGS twice', Buffer.concat([settings, settings]), Http3Code.FRAME_UNEXPECTED],
    ['DATA', Buffer.concat([settings, frame(FrameType.DATA, 1)]), Http3Code.FRAME_UNEXPECTED],
    ['HEADERS', Buffer.concat([settings, frame(FrameType.HEADERS)]), Http3Code.FRAME_UNEXPECTED],
    ['PING of HTTP/2', Buffer.concat([settings, frame(6, 1)]), Http3Code.FRAME_UNEXPECTED],
    ['CANCEL_PUSH', Buffer.concat([settings, frame(FrameType.CANCEL_PUSH, 0)]), Http3Code.ID_ERROR],
    [
      'MAX_PUSH_ID that goes down',
      Buffer.concat([settings, frame(FrameType.MAX_PUSH_ID, 3), frame(FrameType.MAX_PUSH_ID, 2)]),
      Http3Code.ID_ERROR,
    ],
    [
      'GOAWAY that goes up',
      Buffer.concat([settings, frame(FrameType.GOAWAY, 3), frame(FrameType.GOAWAY, 4)]),
      Http3Code.ID_ERROR,
    ],
    [
      'GOAWAY of two numbers',
      Buffer.concat([settings, frame(FrameType.GOAWAY, 3, 3)]),
      Http3Code.FRAME_ERROR,
    ],
    [
      'GOAWAY without a number',
      Buffer.concat([settings, frame(FrameType.GOAWAY)]),
      Http3Code.FRAME_ERROR,
    ],
    [
      'SETTINGS of 2 KB',
      encodeFrame(FrameType.SETTINGS, Buffer.alloc(2_000)),
      Http3Code.EXCESSIVE_LOAD,
    ],
  ])('is refused: %s', (_, bytes, code) => {
    const reader = new ControlStreamReader(() => undefined);
    expect(() => reader.read(bytes)).toThrow(
      expect.objectContaining({ scope: 'connection', code }),
    );
  });
});
