import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ConnectionError } from '../../../../src/grpc/h2/connection-error.js';
import { FrameReader } from '../../../../src/grpc/h2/frame-reader.js';
import { frame } from '../../../support/http2-peer.js';

/** Everything a reader tells, as text. */
function reading(...chunks: Buffer[]): string[] {
  const told: string[] = [];
  const reader = new FrameReader({
    onData: (id, payload, counted, end) =>
      told.push(`data ${id} ${payload.toString()} ${counted}${end ? ' end' : ''}`),
    onHeaders: (id, block, end) =>
      told.push(`headers ${id} ${block.toString()}${end ? ' end' : ''}`),
    onReset: (id, code) => told.push(`reset ${id} ${code}`),
    onSettings: (payload, ack) => told.push(`settings ${payload.length}${ack ? ' ack' : ''}`),
    onPing: (payload, ack) => told.push(`ping ${payload.length}${ack ? ' ack' : ''}`),
    onGoaway: (last, code) => told.push(`goaway ${last} ${code}`),
    onWindowUpdate: (id, increment) => told.push(`window ${id} ${increment}`),
  });
  for (const chunk of chunks) reader.read(chunk);
  return told;
}

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
const uint32 = (value: number): Buffer => {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32BE(value);
  return buffer;
};
const settings = frame(4, 0, 0, Buffer.alloc(0));

const conversation: readonly (readonly [Buffer, string | null])[] = [
  [settings, 'settings 0'],
  [frame(4, 1, 0, Buffer.alloc(0)), 'settings 0 ack'],
  [frame(1, 0x4, 1, bytes('block')), 'headers 1 block'],
  [frame(1, 0x5, 1, bytes('block')), 'headers 1 block end'],
  [frame(1, 0x4 | 0x8, 1, bytes('\x03blockxyz')), 'headers 1 block'],
  [frame(1, 0x4 | 0x20, 1, bytes('prio.block')), 'headers 1 block'],
  [frame(1, 0x4 | 0x20 | 0x8, 1, bytes('\x02prio.blockxy')), 'headers 1 block'],
  [frame(1, 0x1, 3, bytes('be')), null],
  [frame(9, 0, 3, bytes('')), null],
  [frame(9, 0, 3, bytes('g')), null],
  [frame(9, 0x4, 3, bytes('in')), 'headers 3 begin end'],
  [frame(0, 0, 1, bytes('body')), 'data 1 body 4'],
  [frame(0, 0x1, 1, Buffer.alloc(0)), 'data 1  0 end'],
  [frame(0, 0x9, 1, bytes('\x02bodyxy')), 'data 1 body 7 end'],
  [frame(2, 0, 1, Buffer.alloc(5)), null],
  [frame(77, 0xff, 9, bytes('unknown')), null],
  [frame(3, 0, 1, uint32(8)), 'reset 1 8'],
  [frame(6, 0, 0, Buffer.alloc(8)), 'ping 8'],
  [frame(6, 1, 0, Buffer.alloc(8)), 'ping 8 ack'],
  [frame(7, 0, 0, Buffer.concat([uint32(5), uint32(2), bytes('why')])), 'goaway 5 2'],
  [frame(8, 0, 0, uint32(7)), 'window 0 7'],
  [frame(8, 0, 1, uint32(0x80000007)), 'window 1 7'],
];
const spoken = Buffer.concat(conversation.map(([frameBytes]) => frameBytes));
const heard = conversation.map(([, text]) => text).filter((text) => text !== null);

describe('the frame reader', () => {
  test('tells frames however the bytes are cut', () => {
    expect(reading(spoken)).toEqual(heard);
    fc.assert(
      fc.property(fc.array(fc.nat(spoken.length), { maxLength: 30 }), (cuts) => {
        const sorted = [0, ...cuts.sort((one, other) => one - other), spoken.length];
        const chunks = sorted.slice(1).map((cut, index) => spoken.subarray(sorted[index], cut));
        expect(reading(...chunks)).toEqual(heard);
      }),
      { numRuns: 200 },
    );
    expect(reading(...[...spoken].map((byte) => Buffer.of(byte)))).toEqual(heard);
  });

  test.each([
    ['HTTP/1', [bytes('HTTP/1.1 400 Bad Request\r\n\r\n')]],
    ['a first frame that is no SETTINGS', [frame(6, 0, 0, Buffer.alloc(8))]],
    ['a first frame that only acknowledges', [frame(4, 1, 0, Buffer.alloc(0))]],
    ['a frame above the limit', [settings, frame(0, 0, 1, Buffer.alloc(16_385))]],
    ['DATA on stream 0', [settings, frame(0, 0, 0, bytes('x'))]],
    ['HEADERS on stream 0', [settings, frame(1, 4, 0, bytes('x'))]],
    ['RST_STREAM on stream 0', [settings, frame(3, 0, 0, uint32(1))]],
    ['RST_STREAM of 5 bytes', [settings, frame(3, 0, 1, Buffer.alloc(5))]],
    ['SETTINGS on a stream', [settings, frame(4, 0, 1, Buffer.alloc(6))]],
    ['SETTINGS of 5 bytes', [settings, frame(4, 0, 0, Buffer.alloc(5))]],
    ['SETTINGS ACK with settings', [settings, frame(4, 1, 0, Buffer.alloc(6))]],
    ['PING of 7 bytes', [settings, frame(6, 0, 0, Buffer.alloc(7))]],
    ['PING on a stream', [settings, frame(6, 0, 3, Buffer.alloc(8))]],
    ['GOAWAY of 7 bytes', [settings, frame(7, 0, 0, Buffer.alloc(7))]],
    ['WINDOW_UPDATE of 3 bytes', [settings, frame(8, 0, 0, Buffer.alloc(3))]],
    ['PUSH_PROMISE', [settings, frame(5, 4, 1, Buffer.alloc(8))]],
    ['CONTINUATION out of nowhere', [settings, frame(9, 4, 1, bytes('x'))]],
    ['another frame within a block', [settings, frame(1, 0, 1, bytes('x')), settings]],
    [
      'a block on another stream',
      [settings, frame(1, 0, 1, bytes('x')), frame(9, 4, 3, bytes('x'))],
    ],
    ['padding longer than DATA', [settings, frame(0, 8, 1, bytes('\x05abc'))]],
    ['padded DATA without a length', [settings, frame(0, 8, 1, Buffer.alloc(0))]],
    ['HEADERS shorter than a priority', [settings, frame(1, 0x24, 1, bytes('abc'))]],
    [
      'a header block without end',
      [
        settings,
        frame(1, 0, 1, bytes('x')),
        ...Array<Buffer>(70).fill(frame(9, 0, 1, Buffer.alloc(16_000))),
      ],
    ],
    [
      'a header block in too many frames',
      [
        settings,
        frame(1, 0, 1, bytes('x')),
        ...Array<Buffer>(5_000).fill(frame(9, 0, 1, bytes('x'))),
      ],
    ],
  ])('refuses %s', (_, chunks) => {
    expect(() => reading(...chunks)).toThrow(ConnectionError);
  });

  test('noise is an error of the connection or nothing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(spoken.length), (noise, at) => {
        const mutated = Buffer.concat([spoken.subarray(0, at), noise, spoken.subarray(at)]);
        try {
          reading(mutated);
        } catch (error) {
          expect(error).toBeInstanceOf(ConnectionError);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
