import { beforeEach, describe, expect, test } from '@jest/globals';
import { Lease } from '../../../src/replication/lease.js';

const TIMEOUT = 1_000;
/** What an answer is good for: less than the timeout of the backup. */
const SPAN = 700;

let lease: Lease;
beforeEach(() => {
  lease = new Lease(TIMEOUT);
});

describe('an answer', () => {
  test('lets this node serve from when its heartbeat was sent, whenever it comes', () => {
    expect(lease.isValid(0)).toBe(false);
    lease.sent(1, 100);
    expect(lease.awaits(1)).toBe(true);
    lease.answered(1, true);
    expect([lease.isValid(100 + SPAN - 1), lease.isValid(100 + SPAN)]).toEqual([true, false]);
  });

  test('to an older heartbeat takes nothing away', () => {
    lease.sent(1, 0);
    lease.sent(2, 500);
    lease.answered(2, true);
    lease.answered(1, true);
    expect(lease.isValid(500 + SPAN - 1)).toBe(true);
  });

  test('that lets nobody serve renews nothing, nor does one that comes twice or was never asked for', () => {
    lease.sent(1, 100);
    lease.answered(1, false);
    expect([lease.isValid(100), lease.awaits(1)]).toEqual([false, false]);
    lease.answered(1, true);
    lease.answered(7, true);
    expect(lease.isValid(100)).toBe(false);
  });

  test('to what was asked in another role is void', () => {
    lease.sent(1, 100);
    lease.answered(1, true);
    lease.sent(2, 200);
    lease.reset();
    expect([lease.isValid(201), lease.awaits(2)]).toEqual([false, false]);
    lease.answered(2, true);
    expect(lease.isValid(201)).toBe(false);
  });
});

describe('a peer that is quicker to take this node for dead', () => {
  test('shortens what was granted, and what will be', () => {
    lease.sent(1, 0);
    lease.answered(1, true);
    lease.limit(100, 10);
    expect([lease.isValid(79), lease.isValid(80)]).toEqual([true, false]);
    lease.sent(2, 200);
    lease.answered(2, true);
    expect([lease.isValid(269), lease.isValid(270)]).toEqual([true, false]);
  });

  test.each([
    ['one that is slower', 5_000],
    ['one that does not say', 0],
  ])('%s leaves it at the timeout of this one', (_, peerTimeout) => {
    lease.limit(peerTimeout, 0);
    lease.sent(1, 0);
    lease.answered(1, true);
    expect([lease.isValid(SPAN - 1), lease.isValid(SPAN)]).toEqual([true, false]);
  });
});
