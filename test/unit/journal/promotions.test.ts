import { describe, expect, test } from '@jest/globals';
import { Promotions } from '../../../src/journal/promotions.js';
import type { Promotion } from '../../../src/journal/promotions.js';

/** Of ids 0 where the gateways were of an older version. */
function promotion(epoch: number, position: number, id = epoch, forgot = false): Promotion {
  return { epoch, position, id, forgot };
}

function history(...list: Promotion[]): Promotions {
  const promotions = new Promotions();
  for (const item of list) promotions.note(item);
  return promotions;
}

const told = (promotions: Promotions): unknown[] =>
  [...promotions.records()].map((record) => ({ ...record.promotion }));

describe('the same promotion told twice', () => {
  test.each([
    ['as it is', promotion(1, 10)],
    ['later', promotion(1, 25)],
  ])('%s counts once, at the lower position', (_, again) => {
    expect(told(history(promotion(1, 10), again))).toEqual([promotion(1, 10)]);
    expect(told(history(again, promotion(1, 10)))).toEqual([promotion(1, 10)]);
  });

  test('once without its id counts once, with it', () => {
    const both = [promotion(1, 10, 0), promotion(1, 10, 77)] as const;
    expect(told(history(...both))).toEqual([promotion(1, 10, 77)]);
    expect(told(history(both[1], both[0]))).toEqual([promotion(1, 10, 77)]);
  });

  test('under another id is another one: a process that lost its journal begins in the same epoch', () => {
    expect(told(history(promotion(1, 10, 5), promotion(1, 10, 6)))).toHaveLength(2);
  });
});

describe('two histories', () => {
  const begin = promotion(1, 1);

  test('are one where they have the same promotions', () => {
    expect(history(begin).forkOf(history(begin))).toBeNull();
  });

  test('part at the first promotion that only one of them has', () => {
    const mine = history(begin, promotion(3, 40));
    expect(mine.forkOf(history(begin))).toEqual({ position: 40, sure: true });
    expect(history(begin).forkOf(mine)).toEqual({ position: 40, sure: true });
    const theirs = history(begin, promotion(2, 30), promotion(4, 60));
    expect(mine.forkOf(theirs)).toEqual({ position: 30, sure: true });
  });

  test('part unsurely where the one that goes on may have forgotten', () => {
    const mine = history(begin, promotion(3, 40, 3, true));
    expect(mine.forkOf(history(begin))).toEqual({ position: 40, sure: false });
    expect(history(begin).forkOf(mine)).toEqual({ position: 40, sure: true });
  });

  test('may part anywhere where they share none of so many that older ones are forgotten', () => {
    const many = history(
      ...Array.from({ length: 32 }, (_, index) => promotion(100 + index, index)),
    );
    const anywhere = { position: 0, sure: false };
    expect(many.forkOf(history(begin))).toEqual(anywhere);
    expect(history(begin).forkOf(many)).toEqual(anywhere);
  });

  test('of gateways of an older version are told apart by where they began', () => {
    const mine = history(promotion(1, 10, 0));
    expect(mine.forkOf(history(promotion(1, 10, 7)))).toBeNull();
    expect(history(promotion(1, 10, 7)).forkOf(mine)).toBeNull();
    expect(mine.forkOf(history(promotion(1, 20, 7)))).toEqual({ position: 10, sure: true });
    expect(mine.forkOf(history(promotion(1, 20, 0)))).toBeNull();
  });
});

test('what another one knows is known, and what is cleared is not', () => {
  const all = history(promotion(1, 10));
  all.add(history(promotion(1, 10), promotion(2, 20)));
  expect(told(all)).toEqual([promotion(1, 10), promotion(2, 20)]);
  all.clear();
  expect(told(all)).toEqual([]);
});
