import { beforeEach, describe, expect, test } from '@jest/globals';
import { OutboxTotal } from '../../../src/session/outbox-total.js';
import { Outbox } from '../../../src/session/outbox.js';

const BODY = Buffer.alloc(100, 1);
/** In an outbox: with length, and a seq_id of one byte. */
const FRAME_BYTES = 4 + 2 + BODY.length;
const MAX_BYTES = 10 * FRAME_BYTES;

let total: OutboxTotal;
let outbox: Outbox;

beforeEach(() => {
  total = new OutboxTotal(Infinity);
  outbox = new Outbox(1, { outboxMaxFrames: 1_000, outboxMaxBytes: MAX_BYTES }, total);
});

function append(count: number): void {
  for (let index = 0; index < count; index++) outbox.append(0, 0, BODY);
}

/** What the present Link takes. */
function write(count: number): number[] {
  const seqs: number[] = [];
  for (let index = 0; index < count; index++) {
    const entry = outbox.peekUnsent();
    if (entry === undefined) break;
    outbox.markSent(entry, 0);
    seqs.push(entry.seq);
  }
  return seqs;
}

const ignore = (): void => undefined;

describe('the limit in bytes', () => {
  test('is reached by what is kept and what waits, but for what is not counted', () => {
    append(9);
    expect(outbox.isFull(0, 0)).toBe(false);
    outbox.reserve(FRAME_BYTES);
    expect(outbox.isFull(0, 0)).toBe(true);
    expect(outbox.isFull(1, FRAME_BYTES)).toBe(false);
  });

  test('leaves pushes 90 %', () => {
    append(8);
    expect(outbox.hasRoomForPush(FRAME_BYTES)).toBe(true);
    expect(outbox.hasRoomForPush(FRAME_BYTES + 1)).toBe(false);
  });

  test('forgets what waited and went, and what was acknowledged', () => {
    for (let round = 0; round < 20; round++) {
      outbox.reserve(BODY.length);
      outbox.release(BODY.length);
      append(1);
      write(1);
      outbox.acknowledge(round + 1, ignore);
    }
    expect([outbox.totalFrames, outbox.totalBytes, total.bytes]).toEqual([0, 0, 0]);
  });
});

describe('on another Link', () => {
  test('what it was not given yet may be acknowledged: it goes on behind that', () => {
    append(5);
    write(4);
    outbox.rewind();
    expect(outbox.oldestSent()).toBeUndefined();
    outbox.acknowledge(2, ignore);
    expect(outbox.nextToSend).toBe(3);
    expect(write(1)).toEqual([3]);
    outbox.acknowledge(4, ignore);
    expect([outbox.unwritten, outbox.nextToSend]).toEqual([1, 5]);
    expect(write(9)).toEqual([5]);
  });

  test('the highest number that was sent stays', () => {
    append(3);
    write(3);
    outbox.rewind();
    write(1);
    expect(outbox.highestSent).toBe(3);
  });
});

test('bytes behind the oldest frame are those that the Link was given, without the oldest', () => {
  append(5);
  expect(outbox.sentBehindOldest()).toBe(0);
  write(3);
  expect(outbox.sentBehindOldest()).toBe(2 * FRAME_BYTES);
  write(2);
  outbox.acknowledge(1, ignore);
  expect(outbox.sentBehindOldest()).toBe(3 * FRAME_BYTES);
});

test('an acknowledgement names the answers among what it covers', () => {
  outbox.append(11, 7, BODY);
  outbox.append(0, 0, BODY);
  outbox.append(12, 8, BODY);
  outbox.append(13, 9, BODY);
  write(4);
  const answers: number[] = [];
  outbox.acknowledge(3, (clientSeq) => answers.push(clientSeq));
  expect([answers, outbox.acknowledged]).toEqual([[7, 8], 3]);
});

test('what moves into a new incarnation is no longer here, and not counted', () => {
  append(2);
  outbox.append(11, 7, BODY);
  outbox.reserve(BODY.length);
  expect(outbox.takePushes()).toHaveLength(2);
  expect([outbox.totalFrames, outbox.totalBytes, total.bytes]).toEqual([0, 0, 0]);
  expect([...outbox, outbox.peekUnsent()]).toEqual([undefined]);
  expect(outbox.takePushes()).toEqual([]);
  expect(total.bytes).toBe(0);
});
