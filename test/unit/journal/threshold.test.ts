import { describe, expect, test } from '@jest/globals';
import { Threshold } from '../../../src/journal/threshold.js';
import type { WaitFailure } from '../../../src/journal/threshold.js';

const LAG: WaitFailure = { pushError: 'REPLICATION_LAG', reason: 'late' };

function waiter(name: string, told: string[]) {
  return {
    onReached: () => void told.push(name),
    onFailed: ({ reason }: WaitFailure) => void told.push(`${name} ${reason}`),
  };
}

describe('Threshold', () => {
  test('without a bar nothing has to wait', () => {
    expect(new Threshold().position).toBe(Infinity);
  });

  test('the lowest bar counts, and who waits is called in order', () => {
    const threshold = new Threshold();
    const disk = threshold.hold(3);
    const standby = threshold.hold(1);
    const told: string[] = [];
    threshold.wait(2, waiter('two', told));
    threshold.wait(4, waiter('four', told));
    standby.raise(9);
    expect([threshold.position, told]).toEqual([3, ['two']]);
    disk.raise(4);
    expect([threshold.position, told]).toEqual([4, ['two', 'four']]);
    disk.raise(2);
    expect(threshold.position).toBe(4);
  });

  test('a bar that is removed holds nothing back', () => {
    const threshold = new Threshold();
    const bar = threshold.hold(0);
    const told: string[] = [];
    threshold.wait(7, waiter('seven', told));
    bar.remove();
    bar.remove();
    expect([threshold.position, told]).toEqual([Infinity, ['seven']]);
  });

  test('a failure reaches those up to its position; one who waits again waits on', () => {
    const threshold = new Threshold();
    const bar = threshold.hold(0);
    const told: string[] = [];
    threshold.wait(1, {
      onReached: () => void told.push('never'),
      onFailed: () => threshold.wait(1, waiter('again', told)),
    });
    threshold.wait(2, waiter('two', told));
    threshold.wait(3, waiter('three', told));
    bar.fail(2, LAG);
    expect([told, threshold.length]).toEqual([['two late'], 2]);
    bar.raise(3);
    expect(told.sort()).toEqual(['again', 'three', 'two late']);
  });
});
