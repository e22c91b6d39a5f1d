import { describe, expect, test } from '@jest/globals';
import { PushSequence } from '../../../../../src/sdk/client/core/push-sequence.js';
import { NUMBER_JUMP } from '../../../../../src/wire/limits.js';

describe('PushSequence', () => {
  test('delivers what is next, drops what was seen, finds what is missing', () => {
    const sequence = new PushSequence();
    sequence.begin(5, false);
    expect(sequence.accept(5)).toBe('deliver');
    expect(sequence.accept(5)).toBe('duplicate');
    expect(sequence.accept(4)).toBe('duplicate');
    expect(sequence.accept(7)).toBe('gap');
    expect(sequence.highest).toBe(5);
    expect(sequence.accept(6)).toBe('deliver');
    expect(sequence.highest).toBe(6);
  });

  test('drops the part of a replay that had arrived before', () => {
    const sequence = new PushSequence();
    sequence.begin(1, false);
    for (const seq of [1, 2, 3]) sequence.accept(seq);
    sequence.begin(2, true);
    expect([2, 3, 4].map((seq) => sequence.accept(seq))).toEqual([
      'duplicate',
      'duplicate',
      'deliver',
    ]);
  });

  test('takes any first number from a gateway that does not name it, then insists on order', () => {
    const sequence = new PushSequence();
    sequence.begin(0, false);
    expect(sequence.accept(40)).toBe('deliver');
    expect(sequence.accept(42)).toBe('gap');
    sequence.begin(0, true);
    expect(sequence.accept(42)).toBe('gap');
    expect(sequence.accept(41)).toBe('deliver');
  });

  test('follows a jump that START_RESP announced', () => {
    const sequence = new PushSequence();
    sequence.begin(1, false);
    sequence.accept(1);
    sequence.begin(2 ** 32, true);
    expect(sequence.accept(2 ** 32)).toBe('deliver');
    expect(sequence.highest).toBe(2 ** 32);
  });

  test('asks once for missing frames, and accepts their loss when they are missing again', () => {
    const sequence = new PushSequence();
    sequence.begin(1, false);
    sequence.accept(1);
    expect(sequence.accept(3)).toBe('gap');
    expect(sequence.mayRecover(3)).toBe(true);
    sequence.begin(2, true);
    expect(sequence.accept(3)).toBe('gap');
    expect(sequence.mayRecover(3)).toBe(false);
    expect(sequence.highest).toBe(3);
    expect(sequence.accept(4)).toBe('deliver');
    expect(sequence.accept(6)).toBe('gap');
    expect(sequence.mayRecover(6)).toBe(true);
  });

  test('the jump of a promotion is no gap, also behind frames that are sent again', () => {
    const sequence = new PushSequence();
    sequence.begin(1, false);
    expect(sequence.accept(1)).toBe('deliver');
    sequence.begin(2, true);
    expect(sequence.accept(2)).toBe('deliver');
    expect(sequence.accept(NUMBER_JUMP * 2)).toBe('deliver');
    expect(sequence.accept(NUMBER_JUMP * 2 + 1)).toBe('deliver');
    expect(sequence.accept(NUMBER_JUMP * 2 + 3)).toBe('gap');
    expect(sequence.accept(NUMBER_JUMP)).toBe('duplicate');
  });

  test('a gateway that does not name the first number may begin anywhere, but where it goes on', () => {
    const fresh = new PushSequence();
    fresh.begin(0, true);
    expect(fresh.accept(7)).toBe('deliver');
    fresh.begin(0, false);
    expect(fresh.accept(40)).toBe('deliver');
    fresh.begin(0, true);
    expect([fresh.accept(42), fresh.expected]).toEqual(['gap', 41]);
  });
});
