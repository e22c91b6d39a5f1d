import { expect, test } from '@jest/globals';
import type { FrameWriter } from '../../../../src/grpc/h2/frame-writer.js';
import { FramedStream } from '../../../../src/grpc/h2/framed-stream.js';
import type { StreamOwner, StreamUser } from '../../../../src/grpc/h2/framed-stream.js';
import { Flag } from '../../../../src/grpc/h2/frames.js';
import { PeerSettings } from '../../../../src/grpc/h2/peer-settings.js';
import { SendQueue } from '../../../../src/grpc/h2/send-queue.js';

const USER: StreamUser = { onSent: () => undefined };

/** A queue that writes down the length of each frame, and those with END_STREAM as `last`. */
function queueOf(frames: number[], last: number[] = []): SendQueue<StreamUser> {
  const writer = {
    head: (length: number, _: number, flags: number) => {
      frames.push(length);
      if ((flags & Flag.END_STREAM) !== 0) last.push(frames.length);
    },
    bytes: () => undefined,
    byte: () => undefined,
    uint32: () => undefined,
  };
  return new SendQueue(writer as unknown as FrameWriter, new PeerSettings(), null);
}

function streamOf(id: number, window: number, ends = false): FramedStream<StreamUser> {
  return new FramedStream({} as StreamOwner<StreamUser>, id, USER, window, ends);
}

test('a stream that waits for its own window is not looked at when the window of the connection opens', () => {
  const frames: number[] = [];
  const queue = queueOf(frames);
  const stream = streamOf(1, 0);
  let looks = 0;
  Object.defineProperty(stream, 'window', { get: () => (looks++, 0), set: () => undefined });
  queue.write(stream, Buffer.alloc(10));
  const before = looks;
  for (let count = 0; count < 100; count++) queue.pump();
  expect(looks).toBe(before);
  expect(frames).toEqual([]);
});

test('a stream goes on with whichever window held it up, and what is dropped counts no more', () => {
  const frames: number[] = [];
  const queue = queueOf(frames);
  const [one, other] = [streamOf(1, 20), streamOf(3, 3)];
  queue.window = 10;
  queue.write(one, Buffer.alloc(25));
  queue.write(other, Buffer.alloc(15));
  expect(frames).toEqual([10]);
  queue.window += 100;
  queue.pump();
  expect(frames).toEqual([10, 10, 3]);
  one.widen(4);
  queue.goOn(one);
  one.widen(6);
  queue.goOn(one);
  expect(frames).toEqual([10, 10, 3, 4, 6]);
  expect(queue.bytes).toBe(17);
  queue.drop(other);
  expect(queue.bytes).toBe(0);
});

test.each([
  ['its stream', 15],
  ['the connection', 100],
])('what leaves at once uses up the window of %s', (_, ofStream) => {
  const frames: number[] = [];
  const queue = queueOf(frames);
  const stream = streamOf(1, ofStream);
  if (ofStream > 15) queue.window = 15;
  expect(queue.write(stream, Buffer.alloc(5))).toBe(true);
  expect(queue.write(stream, Buffer.alloc(5))).toBe(false);
  expect(frames).toEqual([10, 5]);
  expect(Math.min(queue.window, stream.window)).toBe(0);
});

test('all messages of a stream that is dropped count no more, the waiting ones too', () => {
  const queue = queueOf([]);
  const stream = streamOf(1, 4);
  for (let count = 0; count < 3; count++) queue.write(stream, Buffer.alloc(5));
  expect(queue.bytes).toBe(26);
  queue.drop(stream);
  expect(queue.bytes).toBe(0);
});

test('the last frame of a stream that ends says so, and no frame before it', () => {
  const last: number[] = [];
  const frames: number[] = [];
  const queue = queueOf(frames, last);
  queue.write(streamOf(1, 100, true), Buffer.alloc(5));
  expect([frames, last]).toEqual([[10], [1]]);
  const stream = streamOf(3, 4);
  queue.write(stream, Buffer.alloc(5));
  queue.write(stream, Buffer.alloc(5));
  queue.end(stream);
  stream.widen(6);
  queue.goOn(stream);
  expect([frames, last]).toEqual([[10, 4, 6], [1]]);
  stream.widen(10);
  queue.goOn(stream);
  expect([frames, last]).toEqual([
    [10, 4, 6, 10],
    [1, 4],
  ]);
  queue.end(stream);
  expect(frames).toHaveLength(4);
  queue.end(streamOf(5, 100));
  expect([frames, last]).toEqual([
    [10, 4, 6, 10, 0],
    [1, 4, 5],
  ]);
});
