import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { DeadlineQueue, Deadlined } from '../../../src/grpc/deadline-queue.js';
import { FakeClock } from '../../support/fake-clock.js';

class Item extends Deadlined {
  constructor(
    deadline: number,
    private readonly expired: number[],
  ) {
    super(deadline);
  }
  override expire(): void {
    this.expired.push(this.deadline);
  }
}

test('items expire at their deadlines, in that order, and removed ones never', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ delay: fc.integer({ min: 1, max: 100 }), removed: fc.boolean() })),
      (plans) => {
        const clock = new FakeClock();
        const queue = new DeadlineQueue(clock);
        const expired: number[] = [];
        const start = clock.now();
        const items = plans.map(({ delay }) => new Item(start + delay, expired));
        for (const item of items) queue.add(item);
        for (const [index, item] of items.entries()) if (plans[index]?.removed) queue.remove(item);
        for (let elapsed = 1; elapsed <= 101; elapsed++) {
          clock.advance(1);
          for (const deadline of expired) expect(deadline).toBeLessThanOrEqual(clock.now());
          const due = items.filter(
            ({ deadline }, index) => deadline <= clock.now() && !plans[index]?.removed,
          );
          expect(expired).toHaveLength(due.length);
        }
        expect(expired).toEqual([...expired].sort((one, other) => one - other));
      },
    ),
    { numRuns: 50 },
  );
});

test('an item that is added while others expire gets its turn', () => {
  const clock = new FakeClock();
  const queue = new DeadlineQueue(clock);
  const expired: number[] = [];
  const start = clock.now();
  const late = new Item(start + 30, expired);
  const first = new Item(start + 10, expired);
  first.expire = () => queue.add(late);
  queue.add(first);
  queue.remove(late);
  clock.advance(10);
  expect(late.queued).toBe(true);
  clock.advance(20);
  expect(expired).toEqual([start + 30]);
  expect(late.queued).toBe(false);
});
