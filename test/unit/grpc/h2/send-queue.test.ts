import { expect, test } from '@jest/globals';
import type { FrameWriter } from '../../../../src/grpc/h2/frame-writer.js';
import { FramedStream } from '../../../../src/grpc/h2/framed-stream.js';
import type { StreamOwner, StreamUser } from '../../../../src/grpc/h2/framed-stream.js';
import { PeerSettings } from '../../../../src/grpc/h2/peer-settings.js';
import { SendQueue } from '../../../../src/grpc/h2/send-queue.js';

const USER: StreamUser = { onSent: () => undefined };

/** A queue that writes down the length of each frame. */
function queueOf(frames: number[]): SendQueue<StreamUser> {
  const writer = {
    head: (length: number) => frames.push(length),
    bytes: () => undefined,
    byte: () => undefined,
    uint32: () => undefined,
  };
  return new SendQueue(writer as unknown as FrameWriter, new PeerSettings(), null);
}

function streamOf(id: number, window: number): FramedStream<StreamUser> {
  return new FramedStream({} as StreamOwner<StreamUser>, id, USER, window, false);
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
