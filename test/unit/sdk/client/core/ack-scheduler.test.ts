import { describe, expect, test } from '@jest/globals';
import { AckScheduler } from '../../../../../src/sdk/client/core/ack-scheduler.js';
import { FakeClock } from '../../../../support/fake-clock.js';

function scheduler() {
  const clock = new FakeClock();
  const sent: number[] = [];
  let room = true;
  const acks = new AckScheduler(clock, 5, (seq) => {
    if (room) sent.push(seq);
    return room;
  });
  return { clock, sent, acks, setRoom: (value: boolean) => (room = value) };
}

describe('AckScheduler', () => {
  test('acknowledges many frames at once, with the highest number', () => {
    const { clock, sent, acks } = scheduler();
    for (const seq of [1, 2, 3]) acks.note(seq);
    expect(sent).toEqual([]);
    clock.advance(5);
    expect(sent).toEqual([3]);
    clock.advance(100);
    expect(sent).toEqual([3]);
  });

  test('says nothing about what START has acknowledged', () => {
    const { clock, sent, acks } = scheduler();
    acks.begin(9);
    acks.note(9);
    clock.advance(10);
    expect(sent).toEqual([]);
    acks.note(10);
    clock.advance(10);
    expect(sent).toEqual([10]);
  });

  test('tries again after a full link and never after stop', () => {
    const { clock, sent, acks, setRoom } = scheduler();
    setRoom(false);
    acks.note(4);
    clock.advance(5);
    expect(sent).toEqual([]);
    setRoom(true);
    acks.flush();
    expect(sent).toEqual([4]);
    acks.note(5);
    acks.stop();
    clock.advance(100);
    expect(sent).toEqual([4]);
    expect(clock.pending).toBe(0);
  });
});
