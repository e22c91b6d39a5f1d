import { describe, expect, test } from '@jest/globals';
import { OrderedDelivery } from '../../../../../src/sdk/client/core/ordered-delivery.js';

function fixture() {
  const turns: (() => void)[] = [];
  const heard: string[] = [];
  const delivery = new OrderedDelivery((run) => turns.push(run));
  return {
    delivery,
    heard,
    push: (name: string) => delivery.push(() => heard.push(name)),
    answer: (name: string) => delivery.answer(() => heard.push(name)),
    /** Runs what waits for the next turn. */
    turn: () => turns.splice(0).forEach((run) => run()),
    turns,
  };
}

describe('OrderedDelivery', () => {
  test('pushes and answers go at once while nothing stands behind an answer', () => {
    const { push, answer, heard, turns } = fixture();
    push('p1');
    push('p2');
    answer('a1');
    answer('a2');
    expect(heard).toEqual(['p1', 'p2', 'a1', 'a2']);
    expect(turns).toHaveLength(0);
  });

  test('a push behind an answer waits for the next turn, and all behind it', () => {
    const { push, answer, heard, turn } = fixture();
    answer('a1');
    push('p1');
    answer('a2');
    push('p2');
    push('p3');
    expect(heard).toEqual(['a1']);
    turn();
    expect(heard).toEqual(['a1', 'p1', 'a2']);
    turn();
    expect(heard).toEqual(['a1', 'p1', 'a2', 'p2', 'p3']);
    push('p4');
    expect(heard.at(-1)).toBe('p4');
  });

  test('a flush delivers the rest once, also from within a delivery', () => {
    const { delivery, push, answer, heard, turn } = fixture();
    answer('a1');
    delivery.push(() => {
      heard.push('p1');
      delivery.flush();
    });
    push('p2');
    answer('a2');
    turn();
    turn();
    expect(heard).toEqual(['a1', 'p1', 'p2', 'a2']);
  });

  test('a push that comes while others are delivered stands behind those that wait', () => {
    const { delivery, push, answer, heard, turn } = fixture();
    answer('a1');
    delivery.push(() => {
      heard.push('p1');
      push('p3');
    });
    push('p2');
    turn();
    expect(heard).toEqual(['a1', 'p1', 'p2', 'p3']);
  });
});
