import { describe, expect, test } from '@jest/globals';
import { describe as inWords, scheduleOf } from './schedule.js';
import type { Menu } from './schedule.js';
import { askedFor } from './seeds.js';

const MENU: Menu = {
  calmMs: 500,
  nodes: 2,
  weights: {
    kill: 3,
    pause: 2,
    storm: 1,
    cut: 1,
    delay: 1,
    switch: 1,
    'restart apps': 1,
    kick: 1,
    absence: 1,
  },
  longestMs: { kill: 800, pause: 900, cut: 700, delay: 600 },
};

function firstOf(seed: number, count: number): string[] {
  const schedule = scheduleOf(seed, MENU);
  return Array.from({ length: count }, () => inWords(schedule.next().value));
}

describe('the schedule of a seed', () => {
  test('is the same each time, and another for another seed', () => {
    expect(firstOf(7, 50)).toEqual(firstOf(7, 50));
    expect(firstOf(7, 50)).not.toEqual(firstOf(8, 50));
  });

  test('has every kind of fault of its menu, on either side', () => {
    const all = firstOf(1, 200).join('\n');
    for (const part of [
      'kill -9 of gateway 0',
      'kill -9 of gateway 1',
      'SIGSTOP of gateway 0',
      'SIGSTOP of gateway 1',
      'lose their connection',
      'is cut for',
      'is late by',
      'planned switch',
      'started anew',
      'every third client from 2 on',
      'is away for',
    ]) {
      expect(all).toContain(part);
    }
  });

  test('keeps to the times of its menu', () => {
    const schedule = scheduleOf(3, MENU);
    for (let count = 0; count < 200; count++) {
      const { calmMs, fault } = schedule.next().value;
      expect(calmMs).toBeLessThanOrEqual(520);
      if (fault.kind === 'kill') expect(fault.downMs).toBeLessThanOrEqual(820);
    }
  });
});

describe('what the environment asks for', () => {
  test('a few seeds, many, or one again', () => {
    expect(askedFor([1, 2], {})).toEqual({ seeds: [1, 2], durationMs: 0 });
    const many = askedFor([1, 2], { SEEDS: '3', MINUTES: '0.5' });
    expect(many).toEqual({ seeds: [1, 2, 3], durationMs: 30_000 });
    expect(askedFor([1, 2], { SEED: '9', SEEDS: '3' }).seeds).toEqual([9]);
  });
});
