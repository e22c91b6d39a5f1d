import { describe, expect, test } from '@jest/globals';
import { STEP_MS, SnapshotFeed } from '../../../src/journal/snapshot-feed.js';
import { StateRecord, decodeMessage } from '../../../src/wire/messages.js';
import { FakeClock } from '../../support/fake-clock.js';

/** Every look at it takes time. */
class SlowClock extends FakeClock {
  override now(): number {
    this.advance(1);
    return super.now();
  }
}

function* sessions(count: number): Iterable<StateRecord> {
  for (let handle = 1; handle <= count; handle++) {
    yield new StateRecord({ session: { id: `session ${handle}`, handle } });
  }
}

function* waitingPushes(openid: string, count: number): Iterable<StateRecord> {
  for (let index = 0; index < count; index++) {
    const waiting = index === 0 ? count : 0;
    const body = Buffer.alloc(50);
    yield new StateRecord({ offlinePush: { openid, body, ttl: 9, waiting } });
  }
}

function stepsOf(feed: SnapshotFeed): StateRecord[][] {
  const steps: StateRecord[][] = [];
  while (!feed.done) {
    steps.push(feed.step().map((encoded) => decodeMessage(StateRecord, encoded)));
  }
  return steps;
}

describe('a snapshot in steps', () => {
  test('ends a step when its time is over', () => {
    const steps = stepsOf(new SnapshotFeed(sessions(100), new SlowClock()));
    expect(steps.length).toBeGreaterThan(100 / (STEP_MS + 1));
    expect(Math.max(...steps.map(({ length }) => length))).toBeLessThanOrEqual(STEP_MS);
    const handles = steps.flat().map(({ session }) => session?.handle);
    expect(handles).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
  });

  test('ends a step when it is large enough, and goes on however small that is', () => {
    const feed = new SnapshotFeed(sessions(30), new FakeClock(), 1);
    const steps = stepsOf(feed);
    expect(steps.map(({ length }) => length)).toEqual([...Array<number>(30).fill(1), 0]);
    expect(feed.count).toBe(30);
    expect(feed.bytes).toBeGreaterThan(30 * 10);
  });

  test('keeps the pushes that wait for one openid together', () => {
    function* records(): Iterable<StateRecord> {
      yield* waitingPushes('ann', 3);
      yield* waitingPushes('bob', 1);
      yield* waitingPushes('cem', 4);
    }
    const steps = stepsOf(new SnapshotFeed(records(), new SlowClock(), 1));
    expect(steps.map(({ length }) => length)).toEqual([3, 1, 4, 0]);
  });
});
